"""Each stage of the flow says that it stands still from the moment its limit is passed, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import metrics
from contract.metric_types import Counter, Gauge, sample_name
from monitoring.alerts.alert_entry import problems_of
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.judge.stage import Stage, StageInputs
from monitoring.judge.stages import stages, with_problems
from streaming.pipeline_file.load import load
from tests.monitoring.judge.looks import bad

PIPELINE = load(Path(__file__).parents[3] / "examples/flights/pipeline.toml")
NOW_S = 1_795_252_000.0
ROWS_LIMIT_S = 300 + 2 * PIPELINE.lake.buckets.total_seconds()
OWN, TABLE = {"pipeline": "flights"}, {"pipeline": "flights", "table": "rows"}
LOGGED = metrics.PREDICTIONS_LOGGED
ASKED = {"topic": PIPELINE.events.topic}


def snapshot(metric: Counter | Gauge, labels: dict[str, str], value: float) -> Snapshot:
    return Snapshot(NOW_S, (Sample("part", sample_name(metric), labels, value),))


def stage(name: str, now: Snapshot, before: Snapshot | None = None, lake_read_s: float | None = None) -> Stage:
    look = StageInputs(PIPELINE, before, now, lake_read_s)
    found = next(stage for stage in stages(look) if stage.name == name)
    return with_problems(found, problems_of(bad(look)))


@pytest.mark.parametrize(
    ("name", "metric", "labels", "well", "unwell", "problem"),
    [
        ("producers", metrics.REPLAY_BEHIND_SECONDS, {}, 30, 31, "the replay is 31 s behind"),
        (
            "mirror",
            metrics.MIRROR_CAUGHT_UP_TO_SECONDS,
            ASKED,
            NOW_S - 60,
            NOW_S - 61,
            f"the mirror is 61 s behind with {PIPELINE.events.topic}",
        ),
        (
            "mirror",
            metrics.WATCHER_LOOKED_SECONDS,
            {},
            NOW_S - 60,
            NOW_S - 61,
            "the watcher has not seen both brokers for 61 s",
        ),
        (
            "events",
            metrics.STREAM_CAUGHT_UP_TO_SECONDS,
            OWN,
            NOW_S - 120,
            NOW_S - 121,
            "the tables are 121 s behind",
        ),
        (
            "rows",
            metrics.BUILT_UPTO_SECONDS,
            TABLE,
            NOW_S - ROWS_LIMIT_S,
            NOW_S - ROWS_LIMIT_S - 1,
            f"nothing due in the last {ROWS_LIMIT_S + 1:.0f} s is built",
        ),
    ],
)
def test_a_stage_stands_still_from_its_limit_on(
    name: str, metric: Counter | Gauge, labels: dict[str, str], well: float, unwell: float, problem: str
) -> None:
    assert stage(name, snapshot(metric, labels, well)).problem is None
    assert stage(name, snapshot(metric, labels, unwell)).problem == problem


def test_while_an_import_is_open_the_mirror_may_be_behind() -> None:
    late = Sample("watcher", sample_name(metrics.MIRROR_CAUGHT_UP_TO_SECONDS), ASKED, NOW_S - 600)
    importing = Sample("watcher", sample_name(metrics.IMPORT_OPEN), ASKED, 1.0)
    found = stage("mirror", Snapshot(NOW_S, (late, importing)))
    assert found.problem is None
    assert "an import is open" in found.figures


def test_model_states_that_wait_for_the_broker_are_a_problem() -> None:
    waiting = stage("rollout", snapshot(metrics.UNSENT_MODEL_STATES, OWN, 4))
    assert waiting.problem == "4 model states wait for the on-prem broker"
    assert stage("rollout", snapshot(metrics.UNSENT_MODEL_STATES, OWN, 0)).problem is None


def test_tables_that_cannot_be_read_for_a_minute_are_the_name_nodes_problem() -> None:
    nothing = Snapshot(NOW_S)
    assert stage("outcomes", nothing).problem is None
    assert stage("outcomes", nothing, lake_read_s=NOW_S - 60).problem is None
    unread = stage("outcomes", nothing, lake_read_s=NOW_S - 61)
    assert unread.problem == "the tables could not be read for 61 s: is HDFS well?"
    assert unread.command == "./hotpath logs namenode"


def test_another_pipelines_silent_rollout_is_not_ours() -> None:
    silent = Snapshot(NOW_S, (), {"rollout-machines": "refused"})
    assert stage("rollout", silent).problem is None
    ours = stage("rollout", Snapshot(NOW_S, (), {"rollout-flights": "refused"}))
    assert (ours.problem, ours.command) == (
        "rollout-flights does not answer: refused",
        "./hotpath logs rollout-flights",
    )


def test_a_scorer_that_does_not_answer_is_told_by_its_pipeline_alone() -> None:
    silent = {"flights-20261127T220000Z-ab12": "502", "flights-more-20261127T220000Z-ab12": "502"}
    now = Snapshot(NOW_S, (), silent)
    (problem,) = stage("scorers", now).problems
    assert problem.text == "the scorer flights-20261127T220000Z-ab12 does not answer: 502"
    assert problem.command == "./hotpath logs scorers-flights"


def test_whose_part_does_not_answer_says_so_first() -> None:
    late = Sample("streaming", sample_name(metrics.STREAM_CAUGHT_UP_TO_SECONDS), OWN, NOW_S - 600)
    found = stage("events", Snapshot(NOW_S, (late,), {"streaming": "refused"}))
    assert [problem.code for problem in found.problems] == ["part_silent:streaming", "tables_lag"]


def test_predictions_on_disk_point_to_the_broker() -> None:
    waiting = stage("outcomes", snapshot(metrics.PREDICTION_SPOOL, OWN, 3_210_000))
    assert waiting.problem == "3.2 MB of predictions wait on disk: is the on-prem Kafka well?"
    assert waiting.command == "./hotpath logs kafka-onprem"
    assert stage("outcomes", snapshot(metrics.PREDICTION_SPOOL, OWN, 0)).problem is None
