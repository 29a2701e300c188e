"""What fails again and again is unwell, although each time it is tried again."""

from __future__ import annotations

import pytest

from contract import metrics
from contract.restarts import Restart
from tests.monitoring.judge.looks import OWN, START_S, Looks


@pytest.mark.parametrize(
    ("step", "stage"), [("hot query", "events"), ("losses", "events"), ("rows job", "rows"), ("upkeep", "events")]
)
def test_a_step_that_fails_in_a_row_is_named(step: str, stage: str) -> None:
    looks = Looks()
    looks.set(metrics.STREAM_FAILURES_IN_A_ROW, 2, step=step, **OWN)
    assert looks.problems(stage) == []
    looks.set(metrics.STREAM_FAILURES_IN_A_ROW, 13, step=step, **OWN)
    (problem,) = looks.problems(stage)
    assert (problem.text, problem.command) == (f"the {step} has failed 13 times in a row", "./hotpath logs streaming")
    looks.set(metrics.STREAM_FAILURES_IN_A_ROW, 0, step=step, **OWN)
    assert looks.problems(stage) == []


def test_a_hot_query_that_ends_again_and_again_is_unwell_until_it_stays() -> None:
    looks = Looks()
    looks.start("streaming")
    for ends in (1, 2):
        looks.set(metrics.STREAM_RESTARTS, ends, **OWN)
        assert looks.problems("events", pass_s=30) == []
    looks.set(metrics.STREAM_RESTARTS, 3, **OWN)
    assert looks.texts("events", pass_s=30) == ["the hot query ended 3 times in ten minutes"]
    assert looks.problems("events", pass_s=180) == []


def test_records_that_were_lost_are_told_until_somebody_acknowledges_it() -> None:
    looks = Looks()
    looks.set(metrics.LOSSES_UNACKNOWLEDGED, 2, **OWN)
    (problem,) = looks.problems("mirror")
    assert problem.text == "2 losses of records are not acknowledged"
    assert problem.command == "./hotpath losses list"
    looks.set(metrics.LOSSES_UNACKNOWLEDGED, 0, **OWN)
    assert looks.problems("mirror") == []


def test_training_runs_that_fail_in_a_row_are_told_with_the_reason() -> None:
    looks = Looks()
    looks.set(metrics.TRAINING_FAILURES, 3, part="trainer", **OWN)
    looks.set(metrics.TRAINING_FAILING, 1, part="trainer", reason="H2O is away", **OWN)
    assert looks.texts("training") == ["the last 3 training runs failed: H2O is away"]


def test_a_part_that_is_started_again_often_is_told_by_the_first_stage_that_needs_it() -> None:
    looks = Looks(restarts=[Restart("streaming", START_S - n, "exited with 1: Killed") for n in (50, 20, 5)])
    (text,) = looks.texts("events")
    assert text == "streaming was started again 3 times in ten minutes; before the last time it exited with 1: Killed"
    assert looks.problems("rows") == []
    assert looks.problems("events", pass_s=180) == []


def test_a_part_that_ended_itself_is_told() -> None:
    looks = Looks(restarts=[Restart("trainer", START_S, "exited with 70: the call has not come back")])
    (problem,) = looks.problems("training")
    assert problem.text.startswith("trainer ended itself 3 s ago, as it could not go on")
    assert problem.command == "./hotpath logs trainer"
    assert looks.problems("training", pass_s=600) == []


def test_the_rollout_of_another_pipeline_is_not_ours() -> None:
    looks = Looks(restarts=[Restart("rollout-machines", START_S, "exited with 70")])
    assert looks.problems("rollout") == []


def test_answers_that_were_errors_of_ours_are_told_for_ten_minutes() -> None:
    looks = Looks()
    looks.start("scorers-1")
    looks.set(metrics.REQUESTS, 9, part="scorers-1", status="422", **OWN)
    assert looks.problems("scorers") == []
    looks.set(metrics.REQUESTS, 2, part="scorers-1", status="500", **OWN)
    assert looks.texts("scorers") == ["2 answers of the last ten minutes were errors of ours"]
    assert looks.problems("scorers", pass_s=620) == []


@pytest.mark.parametrize("outcome", ["refused", "dropped"])
def test_predictions_that_were_lost_are_told(outcome: str) -> None:
    looks = Looks()
    looks.start("scorers-1")
    looks.set(metrics.PREDICTIONS_LOGGED, 9, part="scorers-1", outcome="delivered", **OWN)
    assert looks.problems("outcomes") == []
    looks.set(metrics.PREDICTIONS_LOGGED, 2, part="scorers-1", outcome=outcome, **OWN)
    assert looks.texts("outcomes") == ["2 predictions of the last ten minutes could not be logged"]
