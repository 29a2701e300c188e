"""Upkeep of `rows` and `outcomes`: retention, closed spans made one file per state, old files removed.

Runs in the process that builds them, between its builds: a table has one writer.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from datetime import datetime

from pyspark.sql import SparkSession

from contract.pipeline import Pipeline
from streaming.lake.built_table import BuiltTable
from streaming.lake.delta_log import newest_version
from streaming.lake.delta_tables import add_actions, opened
from streaming.lake.filesystem import file_system
from streaming.lake.vacuum import remove_files, remove_folders

log = logging.getLogger("upkeep")

REMOVED_FOR_HOURS = 1
"""A file stays for so long after it was replaced: somebody may be reading the version before."""


def keep_up_built(
    spark: SparkSession, table: BuiltTable, pipeline: Pipeline, now: datetime, keep_versions: Collection[int] | None
) -> None:
    """One turn. The files of `keep_versions`, those that kept candidates name, stay; None: all files stay."""
    if newest_version(table.url) is None:
        return
    first_s = int((now - pipeline.lake.retention).timestamp())
    remove_folders(table.url, "span", first_s - table.span_s, written_before=None)  # kept versions may name their files
    drop_old_spans(spark, table, first_s)
    compact_closed_spans(spark, table, int((now - pipeline.label.max_late).timestamp()))
    if keep_versions is not None:
        vacuum(table, keep_versions)


def drop_old_spans(spark: SparkSession, table: BuiltTable, first_s: int) -> None:
    """Drop the spans that end before `first_s`."""
    before_s = first_s - table.span_s
    if any(span < before_s for span, _ in _files_by_span(table)):
        spark.sql(f"DELETE FROM delta.`{table.url}` WHERE span < {before_s}")


def compact_closed_spans(spark: SparkSession, table: BuiltTable, closed_s: int) -> None:
    """One file per state of each span that ended before `closed_s`; its rows stay the same."""
    files = _files_by_span(table)
    spans = sorted({span for (span, _), count in files.items() if count > 1 and span + table.span_s <= closed_s})
    if spans:
        spark.sql(f"OPTIMIZE delta.`{table.url}` WHERE span IN ({', '.join(map(str, spans))})")
        log.info("closed spans compacted table=%s spans=%d", table.url, len(spans))


def vacuum(table: BuiltTable, keep_versions: Collection[int], removed_for_hours: int = REMOVED_FOR_HOURS) -> int:
    """Remove the files that no version needs any more, and those that a killed build has left; how many.

    A version in `keep_versions` that the log no longer reaches cannot be read, so its files need not stay.
    """
    with opened(table.url) as newest:
        kept = sorted(v for v in keep_versions if v <= newest.version() and _readable(table.url, v))
        unneeded = newest.vacuum(
            removed_for_hours, dry_run=True, enforce_retention_duration=False, full=True, keep_versions=kept
        )
    return remove_files(table.url, unneeded)


def _readable(url: str, version: int) -> bool:
    files, root = file_system(url)
    return bool(files.exists(f"{root}/_delta_log/{version:020d}.json"))


def _files_by_span(table: BuiltTable) -> Counter[tuple[int, str]]:
    adds = add_actions(table.url)
    keys = zip(adds["partition.span"].to_pylist(), adds["partition.state"].to_pylist(), strict=True)
    return Counter((int(span), state) for span, state in keys)
