"""For how long each stage has stood still although there is something to do."""

from __future__ import annotations

from collections.abc import Iterator

from contract import metrics
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StackInputs, StageInputs

MIRROR_SETTLES_S = 60
TABLES_SETTLE_S = 120
"""So long after an import a stage may still be behind."""


def watcher_blind(look: StackInputs) -> Iterator[Reading]:
    """The watcher does not see both brokers."""
    blind_s = look.since(look.now.largest(metrics.WATCHER_LOOKED_SECONDS))
    if blind_s is not None:
        yield Reading(blind_s, f"the watcher has not seen both brokers for {blind_s:.0f} s")


def mirror_stands(look: StageInputs) -> Iterator[Reading]:
    """How far behind each topic's caught-up moment is; none while the watcher does not look."""
    if look.waits_for_import(MIRROR_SETTLES_S):
        return
    for topic in look.pipeline.mirrored_topics:
        behind_s = look.since(look.now.smallest(metrics.MIRROR_CAUGHT_UP_TO_SECONDS, topic=topic))
        if behind_s is not None:
            yield Reading(behind_s, f"the mirror is {behind_s:.0f} s behind with {topic}", topic)


def forgotten_imports(look: StageInputs) -> Iterator[Reading]:
    """Imports that are open although no record of them has come for minutes.

    As long as an import is open, mirror, tables and rows are behind by intent.
    """
    unheard_s = look.since(look.value(metrics.IMPORTED_SECONDS)) or look.runs_s("streaming")
    for topic in look.pipeline.mirrored_topics:
        open_s = look.since(look.now.largest(metrics.IMPORT_NEWS_SECONDS, topic=topic))
        if open_s is None or not look.now.largest(metrics.IMPORT_OPEN, topic=topic):
            continue
        silent_s = open_s if unheard_s is None else min(open_s, unheard_s)
        text = (
            f"an import into {topic} has been open for {open_s:.0f} s (its last record is {silent_s:.0f} s old), "
            f"and no bucket closes meanwhile; end it with: hotpath imports end {topic}"
        )
        yield Reading(silent_s, text, topic)


def no_batch(look: StageInputs) -> Iterator[Reading]:
    """Records wait and no batch is committed."""
    waiting = look.value(metrics.STREAM_BEHIND_RECORDS)
    batches = look.now.observations(metrics.STREAM_BATCH_SECONDS, pipeline=look.pipeline.name) or 0.0
    still_s = look.unchanged_s("batches", batches if waiting else -look.now.time_s)
    if waiting is not None:
        text = f"no batch was committed for {still_s:.0f} s although {waiting:,.0f} records wait"
        yield Reading(still_s if waiting else 0.0, text)


def tables_stand(look: StageInputs) -> Iterator[Reading]:
    """The tables' caught-up moment does not move."""
    behind_s = look.since(look.value(metrics.STREAM_CAUGHT_UP_TO_SECONDS))
    if behind_s is not None and not look.waits_for_import(TABLES_SETTLE_S):
        yield Reading(behind_s, f"the tables are {behind_s:.0f} s behind")


def tables_unknown(look: StageInputs) -> Iterator[Reading]:
    """The tables' caught-up moment was never known."""
    served_s = _served_s(look)
    is_unknown = look.value(metrics.STREAM_CAUGHT_UP_TO_SECONDS) is None
    if served_s is not None and is_unknown and not look.waits_for_import(TABLES_SETTLE_S):
        text = f"it is not known how far the tables are, {served_s:.0f} s after the Spark job took up the pipeline"
        yield Reading(served_s, f"{text}: does the watcher see both brokers?")


def rows_stand(look: StageInputs) -> Iterator[Reading]:
    """No bucket closes."""
    behind_s = look.since(look.value(metrics.BUILT_UPTO_SECONDS, table="rows"))
    served_s = _served_s(look)
    if look.waits_for_import(300 + 2 * look.pipeline.lake.buckets.total_seconds()):
        return
    if behind_s is not None:
        yield Reading(behind_s, f"nothing due in the last {behind_s:.0f} s is built")
    elif served_s is not None:
        yield Reading(
            served_s, f"no bucket has closed in the {served_s:.0f} s since the Spark job took up the pipeline"
        )


def _served_s(look: StageInputs) -> float | None:
    """For how long the Spark job has been seen to serve the pipeline: one that is deployed later begins at 0."""
    is_served = None if look.value(metrics.STREAM_BEHIND_RECORDS) is None else 1.0
    seen_s, runs_s = look.unchanged_s("served", is_served), look.runs_s("streaming")
    return None if is_served is None or runs_s is None else min(seen_s, runs_s)


def training_stands(look: StageInputs) -> Iterator[Reading]:
    """There are new rows, enough of them, and no run has succeeded or failed for long."""
    has_work = look.value(metrics.TRAINING_IDLE) == 0 and not look.value(metrics.TRAINING_WAITING)
    runs = look.now.total(metrics.TRAINING_RUNS, pipeline=look.pipeline.name) or 0.0
    failures = look.value(metrics.TRAINING_FAILURES) or 0.0
    ended = runs + failures / 1e6  # changes with each of both
    still_s = look.unchanged_s("runs", ended if has_work else -look.now.time_s)
    if look.value(metrics.TRAINING_IDLE) is not None:
        text = f"no training run has ended for {still_s:.0f} s although there are new rows"
        yield Reading(still_s if has_work else 0.0, text)
