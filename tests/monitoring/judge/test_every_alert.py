"""Every alert of the catalogue fires from what parts really show, and is well before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from contract import metrics
from contract.alert_catalogue import ALERTS, CEILINGS, FIGURE_WORDS
from contract.metric_types import bucket_name
from contract.restarts import Restart
from monitoring.collect.provisional import NewestAnswers
from monitoring.judge.alert_rules import Judged, rules_of, stack_rules
from monitoring.judge.measures import judge_pipeline, judge_stack
from monitoring.judge.model_health import Realised
from monitoring.judge.outcome_follower import Found
from monitoring.judge.stage import StackInputs, StageInputs
from monitoring.judge.trust_inputs import Pin, TrustInputs
from tests.monitoring.judge.looks import OWN, PIPELINE, Looks
from tests.monitoring.judge.test_new_readings import stream
from training.evaluation.confidence_intervals import Interval

ASKED: Final = PIPELINE.events.topic
FLOORS: Final = dict.fromkeys(FIGURE_WORDS, 0.4) | {"log_loss": 0.8, "brier": 0.8}
STRICT: Final = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, floors=FLOORS, alerts=()))
SCORER: Final = "flights-20261127T220000Z-ab12"


@dataclass
class World:
    """What is looked at; a test makes it unwell."""

    looks: Looks
    silent: dict[str, str]
    restarts: list[Restart]
    seen: TrustInputs
    found: Found
    of_stage: dict[str, Any]
    of_stack: dict[str, Any]

    def judged(self, alert: str) -> list[Judged]:
        now = replace(self.looks.snapshot(), silent=self.silent)
        self.looks.windows.update(now)
        look = StageInputs(
            STRICT, None, now, windows=self.looks.windows, stillness=self.looks.stillness, restarts=self.restarts,
            seen=self.seen, found=self.found, **self.of_stage,
        )  # fmt: skip
        whole = StackInputs(now, self.restarts, **self.of_stack)
        found = [*judge_pipeline(rules_of(STRICT), look), *judge_stack(stack_rules([STRICT]), whole)]
        self.looks.stillness.end_look()
        return [each for each in found if each.rule.name == alert]

    def set(self, metric: Any, value: float, **labels: str) -> None:
        self.looks.set(metric, value, **labels)

    def age(self, metric: Any, seconds: float, **labels: str) -> None:
        """A moment that lies so far back."""
        self.set(metric, self.looks.now_s - seconds, **labels)


def realised(value: float) -> Realised:
    figures = {name: Interval(value, value - 0.05, value + 0.05) for name in FIGURE_WORDS}
    return Realised(0, 60, value, 0.4, 400, 100, "flights-1", figures)


@pytest.fixture
def world() -> World:
    looks = Looks()
    looks.start("streaming")
    return World(looks, {}, [], TrustInputs("flights-1", 60.0, realised(0.5), {"a": 0.1}), Found(), {}, {})


def _beyond(name: str) -> Callable[[World], None]:
    """A figure whose whole interval is beyond its floor, or its ceiling."""

    def make(world: World) -> None:
        world.seen = replace(world.seen, realised=realised(0.9 if name in CEILINGS else 0.3))

    return make


def _quarantine(world: World) -> None:
    world.set(metrics.STREAM_RECORDS, 200, table="events", **OWN)
    world.set(metrics.QUARANTINED_QUESTIONS, 100, reason="due", **OWN)


def _slow(world: World) -> None:
    for bound, count in (("0.1", 100.0), ("1.0", 1000.0), ("+Inf", 1000.0)):
        world.looks.figures["streaming", bucket_name(metrics.REQUEST_SECONDS), (("le", bound), *OWN.items())] = count


def _stands(world: World) -> None:
    world.set(metrics.STREAM_BEHIND_RECORDS, 40, **OWN)
    world.judged("batch_stall")
    world.looks.now_s += 301


def _no_run(world: World) -> None:
    world.set(metrics.TRAINING_IDLE, 0, **OWN)
    world.judged("training_stands")
    world.looks.now_s += 1300


def _behind(world: World) -> None:
    for host, offset_s in (("a", 0.1), ("b", 0.2), ("c", 0.3), ("d", 0.2), ("slow", 900.0)):
        world.set(metrics.CLOCK_OFFSET_SECONDS, offset_s, host=host, **OWN)


def _open_import(world: World) -> None:
    world.set(metrics.IMPORT_OPEN, 1, topic=ASKED)
    world.age(metrics.IMPORT_NEWS_SECONDS, 301, topic=ASKED)
    world.age(metrics.IMPORTED_SECONDS, 301, **OWN)


def _same_answers(world: World) -> None:
    world.found = Found(newest_answers={"flights-1": NewestAnswers(40, 1), "flights-0": NewestAnswers(40, 9)})


def _undecided(world: World) -> None:
    figures = {**realised(0.5).figures, "auc": Interval(0.42, 0.35, 0.49)}
    world.seen = replace(world.seen, realised=replace(realised(0.5), figures=figures))
    world.judged("undecided")
    world.looks.now_s += 6 * 3600 + 1


def _silent_stream(world: World) -> None:
    stream(world.looks, 10, 2.0)
    world.looks.now_s += 60
    world.set(metrics.STREAM_CAUGHT_UP_TO_SECONDS, world.looks.now_s, **OWN)


def _unknown_tables(world: World) -> None:
    world.set(metrics.STREAM_BEHIND_RECORDS, 0, **OWN)
    world.judged("tables_unknown")
    world.looks.now_s += 301


def _full_hdfs(world: World) -> None:
    world.set(metrics.HDFS_CAPACITY_BYTES, 9e9)
    world.set(metrics.HDFS_REMAINING_BYTES, 1e9)


FAULTS: Final[dict[str, Callable[[World], object]]] = {
    "no_model": lambda w: setattr(w, "seen", replace(w.seen, model=None)),
    "model_age": lambda w: setattr(w, "seen", replace(w.seen, model_age_s=4000.0)),
    **{name: _beyond(name) for name in FIGURE_WORDS},
    "clock_ahead": lambda w: setattr(w, "seen", replace(w.seen, clock_offsets_s={"a": -900.0})),
    "pinned": lambda w: setattr(w, "seen", replace(w.seen, pinned=Pin("flights-1", "ann", 86_400.0))),
    "drift": lambda w: w.set(metrics.DRIFT_ALARM, 1, feature="wind", **OWN),
    "constant_answers": _same_answers,
    "undecided": _undecided,
    "replay_lag": lambda w: w.set(metrics.REPLAY_BEHIND_SECONDS, 31),
    "clock_behind": _behind,
    "no_traffic": _silent_stream,
    "no_labels": _silent_stream,
    "import_open": _open_import,
    "mirror_lag": lambda w: w.age(metrics.MIRROR_CAUGHT_UP_TO_SECONDS, 61, topic=ASKED, partition="0"),
    "records_lost": lambda w: w.set(metrics.LOSSES_UNACKNOWLEDGED, 1, **OWN),
    "batch_stall": _stands,
    "tables_lag": lambda w: w.age(metrics.STREAM_CAUGHT_UP_TO_SECONDS, 121, **OWN),
    "tables_unknown": _unknown_tables,
    "step_failing": lambda w: w.set(metrics.STREAM_FAILURES_IN_A_ROW, 3, step="rows job", **OWN),
    "query_ends": lambda w: w.set(metrics.STREAM_RESTARTS, 3, **OWN),
    "dead_letters": lambda w: w.set(metrics.DEAD_LETTERS, 100, topic=ASKED, reason="missing", **OWN),
    "quarantined": _quarantine,
    "rows_lag": lambda w: w.age(metrics.BUILT_UPTO_SECONDS, 500, table="rows", **OWN),
    "training_failures": lambda w: w.set(metrics.TRAINING_FAILURES, 3, **OWN),
    "training_stands": _no_run,
    "states_unsent": lambda w: w.set(metrics.UNSENT_MODEL_STATES, 1, **OWN),
    "pull_failures": lambda w: w.set(metrics.PULL_FAILURES_IN_A_ROW, 10, **OWN),
    "scorer_cannot_start": lambda w: w.set(metrics.HOST_TROUBLE, 1, reason="no memory", **OWN),
    "scorer_silent": lambda w: w.silent.update({SCORER: "502"}),
    "scorer_errors": lambda w: w.set(metrics.REQUESTS, 1, status="500", **OWN),
    "scorer_latency": _slow,
    "outcomes_unread": lambda w: w.of_stage.update(lake_read_s=w.looks.now_s - 61),
    "predictions_on_disk": lambda w: w.set(metrics.PREDICTION_SPOOL, 1e6, **OWN),
    "predictions_lost": lambda w: w.set(metrics.PREDICTIONS_LOGGED, 1, outcome="dropped", **OWN),
    "own_part_silent": lambda w: w.silent.update({"rollout-flights": "refused"}),
    "own_part_restarts": lambda w: w.restarts.append(Restart("rollout-flights", w.looks.now_s, "exited with 70")),
    "vanished": lambda w: w.of_stage.update(has_vanished=True),
    "engine_down": lambda w: w.set(metrics.ENGINE_ANSWERS, 0, engine="h2o"),
    "influx_down": lambda w: w.of_stack.update(unwritten={"influxdb": "InfluxDB refuses the token"}),
    "graphite_down": lambda w: w.of_stack.update(unwritten={"graphite": "Graphite takes no points"}),
    "part_silent": lambda w: w.silent.update({"trainer": "refused"}),
    "part_ended": lambda w: w.restarts.append(Restart("h2o", w.looks.now_s, "was killed")),
    "part_restarts": lambda w: w.restarts.append(Restart("trainer", w.looks.now_s, "exited with 70")),
    "mirror_blind": lambda w: w.age(metrics.WATCHER_LOOKED_SECONDS, 61),
    "disk": lambda w: w.set(metrics.HOST_FREE_DISK_BYTES, 1e9),
    "hdfs_space": _full_hdfs,
    "blocks_missing": lambda w: w.set(metrics.HDFS_MISSING_BLOCKS, 1),
    "under_replicated": lambda w: w.set(metrics.KAFKA_UNDER_REPLICATED, 1, side="cloud"),
    "file_unreadable": lambda w: w.of_stack.update(unreadable={Path("/zz.toml"): "1:1: no TOML"}),
}  # fmt: skip
"""What makes each of them fire; `unjudged` is made by the monitor, where it fails: tests/monitoring/test_monitor.py."""


def test_every_alert_is_tried() -> None:
    assert FAULTS.keys() | {"unjudged"} == ALERTS.keys()


@pytest.mark.parametrize("alert", FAULTS)
def test_it_is_well_before_its_cause_and_bad_with_it_in_words_with_a_command(world: World, alert: str) -> None:
    assert "bad" not in {each.finding for each in world.judged(alert)}
    FAULTS[alert](world)
    (found,) = [each for each in world.judged(alert) if each.finding == "bad"]
    assert found.reading is not None
    assert len(found.reading.text) > 15
    assert "{" not in found.reading.text


@pytest.mark.parametrize(
    ("alert", "part"),
    [
        ("no_model", "rollout-flights"),
        ("pinned", "rollout-flights"),
        ("scorer_cannot_start", "rollout-flights"),
        ("replay_lag", "replay-flights"),
        ("import_open", "watcher"),
        ("tables_unknown", "streaming"),
    ],
)
def test_what_a_silent_part_shows_neither_begins_nor_ends_an_alert(world: World, alert: str, part: str) -> None:
    FAULTS[alert](world)
    world.silent[part] = "refused"
    (found,) = world.judged(alert)
    assert (found.finding, found.rule.no_data) == ("no_data", "keep")
