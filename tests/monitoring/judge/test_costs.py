"""What answers and retrains cost, from what the processes say of their processor time."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from contract import metrics
from contract.metric_types import count_name, sum_name
from contract.metrics import PROCESS_CPU_SECONDS, PROCESS_STARTED_SECONDS
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.judge.clocks_behind import show_clocks_behind
from monitoring.judge.costs import Costs
from tests.monitoring.judge.looks import PIPELINE, START_S

BLUE, GREEN = "flights-20261128T000000Z-aaaa", "flights-20261128T010000Z-bbbb"
OWN = {"pipeline": "flights"}


def cpu(part: str, seconds: float) -> Sample:
    return Sample(part, f"{PROCESS_CPU_SECONDS}_total", {}, seconds)


def answers(part: str, count: float, status: str = "200") -> Sample:
    return Sample(part, "hotpath_scorer_requests_total", OWN | {"status": status}, count)


def runs(count: float, seconds: float, pipeline: str = "flights") -> list[Sample]:
    names = ((count_name(metrics.TRAINING_SECONDS), count), (sum_name(metrics.TRAINING_SECONDS), seconds))
    return [Sample("trainer", name, {"pipeline": pipeline}, value) for name, value in names]


def h2o(seconds: float) -> Sample:
    return Sample("monitor", "hotpath_part_cpu_seconds", {"part": "h2o"}, seconds)


def shown(name: str) -> float | None:
    return REGISTRY.get_sample_value(name, OWN)


def look(costs: Costs, at_s: float, *samples: Sample) -> None:
    costs.show(Snapshot(START_S + at_s, samples), [PIPELINE])


def test_a_million_answers_cost_what_all_scorers_of_the_pipeline_have_used() -> None:
    costs = Costs()
    look(costs, 0, cpu(BLUE, 100.0), answers(BLUE, 10_000), cpu("trainer", 50.0))
    look(costs, 60, cpu(BLUE, 100.2), answers(BLUE, 10_400), answers(BLUE, 100, "422"))
    assert shown("hotpath_cost_answers_cpu_seconds") is None, "500 answers are too few"
    started = Sample(GREEN, PROCESS_STARTED_SECONDS, {}, START_S + 100)
    both = cpu(BLUE, 100.3), answers(BLUE, 10_900), answers(BLUE, 100, "422"), cpu(GREEN, 0.7), answers(GREEN, 1_000)
    look(costs, 120, started, *both)
    assert shown("hotpath_cost_answers_cpu_seconds") == pytest.approx(1e6 * 1.0 / 2_000)
    look(costs, 800, cpu(GREEN, 0.7), answers(GREEN, 1_000))
    assert shown("hotpath_cost_answers_cpu_seconds") is None, "nothing was asked in the last ten minutes"


def test_a_retrain_costs_its_share_of_what_trainer_and_h2o_have_used() -> None:
    costs = Costs()
    look(costs, 0, cpu("trainer", 5.0), h2o(20.0))
    look(costs, 60, cpu("trainer", 6.0), h2o(29.0), *runs(1, 12.0))
    assert shown("hotpath_cost_retrain_cpu_seconds") == pytest.approx(10.0)
    look(costs, 120, cpu("trainer", 7.0), h2o(48.0), *runs(3, 40.0))
    assert shown("hotpath_cost_retrain_cpu_seconds") == pytest.approx(10.0)
    look(costs, 180, cpu("trainer", 1.0), h2o(48.0), *runs(1, 5.0))
    assert shown("hotpath_cost_retrain_cpu_seconds") == pytest.approx(31 / 4), "the trainer began anew"


def test_what_a_process_had_used_before_it_was_first_seen_is_nobodys_cost() -> None:
    costs = Costs()
    look(costs, 0, cpu("trainer", 5.0))
    look(costs, 60, cpu("trainer", 6.0), h2o(1_000.0), *runs(1, 12.0))
    assert shown("hotpath_cost_retrain_cpu_seconds") == pytest.approx(1.0)


def test_each_host_shows_by_how_much_it_stands_apart() -> None:
    offsets = {"a": 0.1, "b": 0.1, "c": 0.12, "d": 0.11, "late": 90.0}
    samples = (Sample("streaming", "hotpath_clock_offset_seconds", OWN | {"host": h}, v) for h, v in offsets.items())
    show_clocks_behind(Snapshot(START_S, tuple(samples)), [PIPELINE])

    def behind(host: str) -> float | None:
        return REGISTRY.get_sample_value("hotpath_clock_behind_seconds", OWN | {"host": host})

    assert behind("late") == pytest.approx(89.895)
    assert [behind(host) for host in "abcd"] == [0, 0, 0, 0]
