"""The rows job of one pipeline: see what is ready, build it; `rows` first, then `outcomes`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pyspark.sql import SparkSession

from contract.layout import Places
from contract.metrics import BUILD_SECONDS, BUILT_BUCKETS, BUILT_UPTO_SECONDS, PENDING_BUCKETS, QUESTIONS
from contract.pipeline import Pipeline
from streaming.lake.built_table import BuiltTable, outcomes_table, rows_table
from streaming.lake.delta_log import newest_version
from streaming.pipeline_file.compile_pipeline import Compiled
from streaming.rows.build_buckets import Inputs, build, ensure_built, note_only
from streaming.rows.build_watermark import read_build_watermark
from streaming.rows.find_dirty_buckets import DirtyBuckets, find_dirty_buckets
from streaming.rows.state_counts import built_counts

log = logging.getLogger("rows_job")

UNNOTED_COMMITS = 200
"""After so many commits that changed no closed bucket, the versions of the inputs are noted, so that they are not read
again."""


class KnowsProgress(Protocol):
    """`streaming.progress.watermark.Progress`."""

    def caught_up_to(self, topics: Iterable[str]) -> datetime | None: ...

    def import_open(self, topics: Iterable[str]) -> bool: ...


@dataclass(frozen=True)
class Built:
    """The buckets that one turn built, by table."""

    rows: DirtyBuckets | None = None
    outcomes: DirtyBuckets | None = None


def run_once(
    spark: SparkSession,
    places: Places,
    pipeline: Pipeline,
    compiled: Compiled,
    progress: KnowsProgress,
    now_s: Callable[[], float] = time.time,
) -> Built:
    """Build what is ready of both tables. May be killed anywhere and called again: a build is one commit."""
    rows = rows_table(places, pipeline, compiled.feature_types)
    outcomes = outcomes_table(places, pipeline)
    built = [_turn(spark, table, pipeline, compiled.spec, progress, now_s) for table in (rows, outcomes)]
    return Built(*built)


def _turn(
    spark: SparkSession,
    table: BuiltTable,
    pipeline: Pipeline,
    spec: str,
    progress: KnowsProgress,
    now_s: Callable[[], float],
) -> DirtyBuckets | None:
    """None while the inputs are not caught up, or history is being imported into them."""
    caught_up_to = progress.caught_up_to(table.topics)  # before the versions are read: they hold at least this
    if caught_up_to is None or progress.import_open(table.topics):
        return None
    source, labels = newest_version(table.source), newest_version(table.labels)
    if source is None or labels is None:
        return None
    version = newest_version(table.url)
    if version is None:
        ensure_built(table)
    upto = read_build_watermark(table.url, version or 0)
    inputs = Inputs(source, labels)
    ready = find_dirty_buckets(table, pipeline, upto, inputs, caught_up_to, round(now_s() * 1000))
    started_s = time.monotonic()
    if ready.buckets:
        build(spark, table, pipeline, spec, inputs, ready.buckets, ready.upto.note())
        _measure(table, pipeline, ready, time.monotonic() - started_s)
    elif max(source - upto.source, labels - upto.labels) > UNNOTED_COMMITS:
        note_only(spark, table, ready.upto.note())
    BUILT_UPTO_SECONDS.labels(pipeline=pipeline.name, table=table.name).set(ready.upto.closed_to_s)
    PENDING_BUCKETS.labels(pipeline=pipeline.name, table=table.name).set(len(ready.upto.pending))
    return ready


def _measure(table: BuiltTable, pipeline: Pipeline, ready: DirtyBuckets, took_s: float) -> None:
    names = {"pipeline": pipeline.name, "table": table.name}
    BUILD_SECONDS.labels(**names).observe(took_s)
    BUILT_BUCKETS.labels(**names, why="closed").inc(len(ready.closing))
    BUILT_BUCKETS.labels(**names, why="reopened").inc(len(ready.reopening))
    for state, count in built_counts(table.url).items():
        QUESTIONS.labels(**names, state=state).set(count)
    counts = len(ready.closing), len(ready.reopening), took_s
    log.info(
        "buckets built pipeline=%s table=%s closed=%d reopened=%d seconds=%.1f", pipeline.name, table.name, *counts
    )
