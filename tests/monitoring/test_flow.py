"""What the stages of the flow say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.flow import Look, Stage, stages
from monitoring.scrape import Sample, Snapshot
from streaming.load import load

PIPELINE = load(Path(__file__).parents[2] / "examples/flights/pipeline.toml")
LOGGED, SPOOL = "hotpath_scorer_predictions_total", "hotpath_scorer_prediction_spool_bytes"


def stage(name: str, *samples: tuple[str, dict[str, str], float]) -> Stage:
    """A stage of a stack whose scorers told these samples."""
    told = tuple(Sample("scorer", what, {"pipeline": "flights"} | labels, value) for what, labels, value in samples)
    found = stages(Look(PIPELINE, None, Snapshot(1_795_252_000.0, told, {})))
    return next(each for each in found if each.name == name)


def test_predictions_that_were_delivered_are_no_problem() -> None:
    assert stage("outcomes", (LOGGED, {"outcome": "delivered"}, 9.0), (SPOOL, {}, 0.0)).problem is None


@pytest.mark.parametrize("outcome", ["refused", "dropped"])
def test_a_lost_prediction_is_a_problem(outcome: str) -> None:
    problem = stage("outcomes", (LOGGED, {"outcome": outcome}, 2.0), (LOGGED, {"outcome": "delivered"}, 9.0)).problem
    assert problem == "2 predictions could not be logged"


def test_predictions_on_disk_point_to_the_broker() -> None:
    told = stage("outcomes", (SPOOL, {}, 3_210_000.0), (LOGGED, {"outcome": "spooled"}, 3000.0))
    assert told.problem == "3.2 MB of predictions wait on disk: is the on-prem Kafka well?"
    assert told.command == "./hotpath logs kafka-onprem"
