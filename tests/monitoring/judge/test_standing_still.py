"""A stage that has something to do and does nothing says so; one that has nothing to do does not."""

from __future__ import annotations

from contract import metrics
from monitoring.judge.standing_still import IMPORT_OPEN_S, NO_BATCH_S, NO_RUN_S, ROWS_BEHIND_S
from tests.monitoring.judge.looks import OWN, PIPELINE, START_S, Looks

ASKED = PIPELINE.events.topic


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
    assert looks.problems("events", pass_s=NO_BATCH_S) == []
    (problem,) = looks.problems("events")
    assert "it is not known how far the tables are, 303 s after the Spark job started" in problem.text
    assert problem.command == "./hotpath logs watcher"


def test_no_bucket_has_closed_since_the_start() -> None:
    looks = Looks()
    looks.start("streaming")
    looks.set(metrics.STREAM_BEHIND_RECORDS, 0, **OWN)
    limit_s = ROWS_BEHIND_S + 2 * PIPELINE.lake.buckets.total_seconds()
    assert looks.problems("rows", pass_s=limit_s) == []
    (text,) = looks.texts("rows")
    assert text == f"no bucket has closed in the {limit_s + 3:.0f} s since the Spark job started"


def test_while_history_is_imported_no_bucket_needs_to_close() -> None:
    looks = Looks()
    looks.set(metrics.BUILT_UPTO_SECONDS, START_S - 3600, table="rows", **OWN)
    assert looks.problems("rows")
    looks.set(metrics.IMPORT_OPEN, 1, part="watcher", topic=ASKED)
    assert looks.problems("rows") == []


def test_an_import_that_was_forgotten_is_told_since_no_bucket_closes() -> None:
    looks = Looks()
    looks.set(metrics.IMPORT_OPEN, 1, part="watcher", topic=ASKED)
    looks.set(metrics.IMPORT_NEWS_SECONDS, START_S, part="watcher", topic=ASKED)
    assert looks.problems("mirror", pass_s=IMPORT_OPEN_S) == []
    (text,) = looks.texts("mirror")
    assert text == f"an import into {ASKED} is open, nothing was heard of it for 3603 s, and no bucket closes"
    looks.set(metrics.IMPORT_OPEN, 0, part="watcher", topic=ASKED)
    assert looks.problems("mirror") == []


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
