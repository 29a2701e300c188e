"""Stages that stand still although there is something to do. Each limit is several times what is usual."""

from __future__ import annotations

from collections.abc import Iterator

from contract import metrics
from monitoring.judge.stage import Problem, StageInputs

BLIND_S = 60
MIRROR_BEHIND_S = 60
TABLES_BEHIND_S = 120
NO_BATCH_S = 300
"""A batch of a backfill takes a minute on slow cores."""
ROWS_BEHIND_S = 300
NO_RUN_S = 1200
"""A run that takes longer than 15 minutes is ended, and counts as failed; another pipeline's may come before it."""
IMPORT_SILENT_S = 300
"""While an import goes on, its records come every second. One that its sender has forgotten keeps every bucket open."""
WATCHER, STREAMING, TRAINER = "./hotpath logs watcher", "./hotpath logs streaming", "./hotpath logs trainer"
IMPORTS = "./hotpath imports list"


def mirror_stands(look: StageInputs) -> Iterator[Problem]:
    """The watcher does not see both brokers, or some partition's caught-up moment does not move."""
    blind_s = look.since(look.now.largest(metrics.WATCHER_LOOKED_SECONDS))
    if blind_s is not None and blind_s > BLIND_S:
        yield Problem("blind", f"the watcher has not seen both brokers for {blind_s:.0f} s", WATCHER)
        return
    moments = [
        (sample.value, topic)
        for topic in look.pipeline.mirrored_topics
        for sample in look.now.find(metrics.MIRROR_CAUGHT_UP_TO_SECONDS, topic=topic)
    ]
    moment_s, topic = min(moments, default=(None, ""))
    behind_s = look.since(moment_s)
    if behind_s is not None and behind_s > MIRROR_BEHIND_S and not look.waits_for_import(MIRROR_BEHIND_S):
        yield Problem("behind", f"the mirror is {behind_s:.0f} s behind with {topic}", "./hotpath logs mirror")


def forgotten_imports(look: StageInputs) -> Iterator[Problem]:
    """Imports that are open although no record of them has come for minutes.

    They come before all else: as long as an import is open, mirror, tables and rows are behind by intent.
    """
    unheard_s = look.since(look.value(metrics.IMPORTED_SECONDS)) or look.runs_s("streaming")
    for topic in look.pipeline.mirrored_topics:
        open_s = look.since(look.now.largest(metrics.IMPORT_NEWS_SECONDS, topic=topic))
        if open_s is None or not look.now.largest(metrics.IMPORT_OPEN, topic=topic):
            continue
        silent_s = open_s if unheard_s is None else min(open_s, unheard_s)
        if silent_s > IMPORT_SILENT_S:
            text = (
                f"an import into {topic} has been open for {open_s:.0f} s (its last record is {silent_s:.0f} s old), "
                f"and no bucket closes meanwhile; end it with: hotpath imports end {topic}"
            )
            yield Problem(f"import:{topic}", text, IMPORTS)


def tables_stand(look: StageInputs) -> Iterator[Problem]:
    """Records wait and no batch is committed, or the tables' caught-up moment does not move or was never known."""
    name = look.pipeline.name
    waiting = look.value(metrics.STREAM_BEHIND_RECORDS)
    batches = look.now.observations(metrics.STREAM_BATCH_SECONDS, pipeline=name) or 0.0
    still_s = look.unchanged_s("batches", batches if waiting else -look.now.time_s)
    if waiting and still_s > NO_BATCH_S:
        text = f"no batch was committed for {still_s:.0f} s although {waiting:,.0f} records wait"
        yield Problem("no_batch", text, STREAMING)
        return
    if look.waits_for_import(TABLES_BEHIND_S):
        return
    behind_s = look.since(look.value(metrics.STREAM_CAUGHT_UP_TO_SECONDS))
    if behind_s is not None and behind_s > TABLES_BEHIND_S:
        yield Problem("behind", f"the tables are {behind_s:.0f} s behind", STREAMING)
    runs_s = look.runs_s("streaming")
    if behind_s is None and waiting is not None and runs_s is not None and runs_s > NO_BATCH_S:
        text = f"it is not known how far the tables are, {runs_s:.0f} s after the Spark job started"
        yield Problem("behind", f"{text}: does the watcher see both brokers?", WATCHER)


def rows_stand(look: StageInputs) -> Iterator[Problem]:
    """No bucket closes."""
    limit_s = ROWS_BEHIND_S + 2 * look.pipeline.lake.buckets.total_seconds()
    behind_s = look.since(look.value(metrics.BUILT_UPTO_SECONDS, table="rows"))
    runs_s = look.runs_s("streaming")
    if look.waits_for_import(limit_s):
        return
    if behind_s is not None and behind_s > limit_s:
        yield Problem("behind", f"nothing due in the last {behind_s:.0f} s is built", STREAMING)
    knows_pipeline = look.value(metrics.STREAM_BEHIND_RECORDS) is not None
    if behind_s is None and knows_pipeline and runs_s is not None and runs_s > limit_s:
        text = f"no bucket has closed in the {runs_s:.0f} s since the Spark job started"
        yield Problem("behind", text, STREAMING)


def training_stands(look: StageInputs) -> Iterator[Problem]:
    """There are new rows, enough of them, and no run has succeeded or failed for long."""
    has_work = look.value(metrics.TRAINING_IDLE) == 0 and not look.value(metrics.TRAINING_WAITING)
    runs = look.now.total(metrics.TRAINING_RUNS, pipeline=look.pipeline.name) or 0.0
    failures = look.value(metrics.TRAINING_FAILURES) or 0.0
    ended = runs + failures / 1e6  # changes with each of both
    still_s = look.unchanged_s("runs", ended if has_work else -look.now.time_s)
    if still_s > NO_RUN_S + look.pipeline.training.every.total_seconds():
        yield Problem("no_run", f"no training run has ended for {still_s:.0f} s although there are new rows", TRAINER)
