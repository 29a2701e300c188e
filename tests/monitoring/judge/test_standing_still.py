"""A stage that has something to do and does nothing says so; one that has nothing to do does not."""

from __future__ import annotations

import pytest

from contract import metrics
from contract.metric_types import sample_name
from tests.monitoring.judge.looks import OWN, PIPELINE, START_S, Looks

ASKED = PIPELINE.events.topic
IMPORT_SILENT_S, NO_BATCH_S, NO_RUN_S, ROWS_BEHIND_S = 300.0, 300.0, 1200.0, 300.0
"""The defaults of contract/alert_catalogue."""


def test_no_batch_although_records_wait() -> None:
    looks = Looks()
    looks.set(metrics.STREAM_BEHIND_RECORDS, 40, **OWN)
    looks.set(metrics.STREAM_BATCH_SECONDS, 7, **OWN)
    assert looks.problems("events") == []
    assert looks.problems("events", pass_s=NO_BATCH_S) == []
    (text,) = looks.texts("events")
    assert text == "no batch was committed for 303 s although 40 records wait"
    looks.set(metrics.STREAM_BATCH_SECONDS, 8, **OWN)
    assert looks.problems("events") == []


def test_without_records_that_wait_no_batch_is_needed() -> None:
    looks = Looks()
    looks.set(metrics.STREAM_BATCH_SECONDS, 7, **OWN)
    for _ in range(3):
        looks.set(metrics.STREAM_BEHIND_RECORDS, 0, **OWN)
        assert looks.problems("events", pass_s=NO_BATCH_S) == []
    looks.set(metrics.STREAM_BEHIND_RECORDS, 1, **OWN)
    assert looks.problems("events") == []


def test_how_far_the_tables_are_is_known_some_time_after_the_start() -> None:
    looks = Looks()
    looks.start("streaming")
    looks.set(metrics.STREAM_BEHIND_RECORDS, 0, **OWN)
    assert looks.problems("events", pass_s=0) == []
    assert looks.problems("events", pass_s=NO_BATCH_S) == []
    (problem,) = looks.problems("events")
    assert "it is not known how far the tables are, 303 s after the Spark job took up the pipeline" in problem.text
    assert problem.command == "./hotpath logs watcher"


def test_no_bucket_has_closed_since_the_start() -> None:
    looks = Looks()
    looks.start("streaming")
    looks.set(metrics.STREAM_BEHIND_RECORDS, 0, **OWN)
    limit_s = ROWS_BEHIND_S + 2 * PIPELINE.lake.buckets.total_seconds()
    assert looks.problems("rows", pass_s=0) == []
    assert looks.problems("rows", pass_s=limit_s) == []
    (text,) = looks.texts("rows")
    assert text == f"no bucket has closed in the {limit_s + 3:.0f} s since the Spark job took up the pipeline"


@pytest.mark.parametrize("stage", ["events", "rows"])
def test_a_pipeline_that_is_deployed_on_a_stack_that_has_run_for_hours_has_its_time_to_begin(stage: str) -> None:
    looks = Looks()
    looks.start("streaming")
    looks.now_s += 7200
    looks.set(metrics.STREAM_BEHIND_RECORDS, 0, **OWN)
    assert looks.problems(stage) == []


def importing(looks: Looks) -> None:
    looks.start("streaming")
    looks.set(metrics.IMPORT_OPEN, 1, part="watcher", topic=ASKED)
    looks.set(metrics.IMPORT_NEWS_SECONDS, looks.now_s, part="watcher", topic=ASKED)


STANDS_STILL = {
    "mirror": (metrics.MIRROR_CAUGHT_UP_TO_SECONDS, {"topic": ASKED, "partition": "0"}),
    "events": (metrics.STREAM_CAUGHT_UP_TO_SECONDS, OWN),
    "rows": (metrics.BUILT_UPTO_SECONDS, OWN | {"table": "rows"}),
}
"""By stage, the moment that stands still while an import is open."""


@pytest.mark.parametrize("stage", STANDS_STILL)
def test_a_stage_is_behind_by_intent_while_history_is_imported_and_has_time_to_catch_up(stage: str) -> None:
    looks, (moment, labels) = Looks(), STANDS_STILL[stage]
    looks.set(moment, START_S - 3600, **labels)
    assert looks.problems(stage)
    importing(looks)
    assert looks.problems(stage) == []
    looks.set(metrics.IMPORT_OPEN, 0, part="watcher", topic=ASKED)
    assert looks.problems(stage) == [], "it has just ended"
    assert looks.problems(stage, pass_s=50) == []
    assert looks.problems(stage, pass_s=600)


def test_how_far_the_tables_are_needs_not_be_known_while_history_is_imported() -> None:
    looks = Looks()
    importing(looks)
    looks.set(metrics.STREAM_BEHIND_RECORDS, 0, **OWN)
    assert looks.problems("events", pass_s=NO_BATCH_S + 1) == []
    looks.set(metrics.IMPORT_OPEN, 0, part="watcher", topic=ASKED)
    assert looks.problems("events", pass_s=NO_BATCH_S + 1)


def test_an_import_that_was_forgotten_is_told_before_all_else_with_what_ends_it() -> None:
    looks = Looks()
    looks.set(metrics.MIRROR_CAUGHT_UP_TO_SECONDS, START_S, topic=ASKED, partition="0")
    looks.set(metrics.STREAM_CAUGHT_UP_TO_SECONDS, START_S, **OWN)
    importing(looks)
    assert looks.problems("mirror", pass_s=IMPORT_SILENT_S) == []
    (problem,) = looks.problems("mirror")
    assert problem.text == (
        f"an import into {ASKED} has been open for 303 s (its last record is 303 s old), and no bucket closes "
        f"meanwhile; end it with: hotpath imports end {ASKED}"
    )
    assert problem.command == "./hotpath imports list"
    assert looks.problems("events") == [], "the import alone is why the tables are behind"
    looks.set(metrics.IMPORT_OPEN, 0, part="watcher", topic=ASKED)
    assert looks.problems("mirror") == []


def test_an_import_that_goes_on_is_no_problem_however_long_it_takes() -> None:
    looks = Looks()
    importing(looks)
    for _ in range(3):
        looks.set(metrics.IMPORTED_SECONDS, looks.now_s, **OWN)
        assert looks.problems("mirror", pass_s=IMPORT_SILENT_S) == []
    assert "(its last record is 303 s old)" in looks.texts("mirror")[0]
    looks.start("streaming")
    del looks.figures["streaming", sample_name(metrics.IMPORTED_SECONDS), tuple(OWN.items())]
    assert looks.problems("mirror", pass_s=60) == [], "a Spark job that has just started may not have had a batch yet"


def test_new_rows_and_no_run() -> None:
    looks = Looks()
    looks.set(metrics.TRAINING_IDLE, 0, part="trainer", **OWN)
    limit_s = NO_RUN_S + PIPELINE.training.every.total_seconds()
    assert looks.problems("training") == []
    (text,) = looks.texts("training", pass_s=limit_s + 1)
    assert text == f"no training run has ended for {limit_s + 1:.0f} s although there are new rows"
    looks.set(metrics.TRAINING_RUNS, 1, part="trainer", **OWN)
    assert looks.problems("training") == []


def test_without_new_rows_or_with_too_few_no_run_is_needed() -> None:
    looks = Looks()
    for idle, waiting in ((1, 0), (0, 1), (1, 0)):
        looks.set(metrics.TRAINING_IDLE, idle, part="trainer", **OWN)
        looks.set(metrics.TRAINING_WAITING, waiting, part="trainer", **OWN)
        assert looks.problems("training", pass_s=10 * NO_RUN_S) == []


def test_a_watcher_that_has_never_looked_is_not_blind_since_1970() -> None:
    looks = Looks()
    looks.set(metrics.MIRROR_LAG_RECORDS, 3, part="watcher", topic=ASKED, partition="0")
    assert looks.problems("mirror") == []
