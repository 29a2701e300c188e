"""Upkeep of the hot query's tables: retention, raw bytes dropped, small files made one, old files removed.

Runs in the process that writes the tables. Rewrites are marked as changing no data (`dataChange` false), so that
the rows job does not take them for new records.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import OUTSIDE
from streaming.lake.delta_tables import add_actions
from streaming.lake.filesystem import file_system, write_whole
from streaming.lake.hot_tables import HOT_TABLES, partition_column
from streaming.lake.vacuum import remove_folders, remove_replaced

log = logging.getLogger("upkeep")

REPLACED_FOR = timedelta(minutes=30)
"""A file stays for so long after it was replaced: somebody may be reading the version before."""
LEFT_BEHIND_FOR = timedelta(days=1)
"""A file of no version stays for so long, in a partition that was dropped: some batch might still commit it."""
MOST_PARTITIONS = 60
"""At most so many are rewritten in one turn of a table, so that upkeep does not take the cores from the hot queries."""
STRIPPED = ("events", "labels")
"""Tables whose raw bytes are dropped before their records are; a fact has nothing but its bytes."""


@dataclass(frozen=True)
class Partition:
    """The files of one partition. `start_s`: of its bucket or hour, seconds since 1970, or OUTSIDE."""

    start_s: int
    files: int


def keep_up(spark: SparkSession, places: Places, pipeline: Pipeline, now: datetime) -> None:
    """One turn over the pipeline's tables."""
    for table in HOT_TABLES:
        path = places.table(pipeline.name, table)
        dropped_s = _first_kept(table, pipeline, now - REPLACED_FOR)
        remove_folders(path, partition_column(table), dropped_s, now - LEFT_BEHIND_FOR)
        drop_expired(spark, path, table, pipeline, now)
        note = places.upkeep_note(pipeline.name, table)
        stripped_to = read_stripped(note)
        starts = compactable(partitions_of(path, table), table, pipeline, now, stripped_to)[:MOST_PARTITIONS]
        if starts:
            payload_removed = [start for start in starts if raw_expired(start, table, pipeline, now)]
            rewrite(spark, path, table, starts, payload_removed)
            write_stripped(note, max([stripped_to, *payload_removed]))
            log.info("partitions compacted pipeline=%s table=%s partitions=%d", pipeline.name, table, len(starts))
        remove_replaced(path, now - REPLACED_FOR)


def read_stripped(note: str) -> int:
    """The start of the last partition whose raw bytes are gone, and those of all before it."""
    files, path = file_system(note)
    if not files.exists(path):
        return OUTSIDE
    with files.open(path, "rb") as source:
        return int(json.loads(source.read())["stripped_to"])


def write_stripped(note: str, stripped_to: int) -> None:
    write_whole(note, json.dumps({"stripped_to": stripped_to}).encode())


def partitions_of(path: str, table: str) -> list[Partition]:
    """What the table's last version holds, in order, from its log alone."""
    files = Counter(int(start) for start in add_actions(path)[f"partition.{partition_column(table)}"].to_pylist())
    return [Partition(start, count) for start, count in sorted(files.items())]


def compactable(
    partitions: Sequence[Partition], table: str, pipeline: Pipeline, now: datetime, stripped_to: int
) -> list[int]:
    """The closed partitions to rewrite, oldest first: those of several files, and those whose raw bytes must go."""
    now_s = now.timestamp()
    closed = [p for p in partitions if p.start_s != OUTSIDE and _closed_at(p.start_s, table, pipeline) < now_s]
    return [
        p.start_s
        for p in closed
        if p.files > 1 or (p.start_s > stripped_to and raw_expired(p.start_s, table, pipeline, now))
    ]


def _closed_at(start_s: int, table: str, pipeline: Pipeline) -> float:
    """When hardly anything more is expected in a partition; seconds since 1970."""
    settled = pipeline.label.max_late if partition_column(table) == "bucket" else timedelta(minutes=5)
    return start_s + _length_s(table, pipeline) + settled.total_seconds()


def _length_s(table: str, pipeline: Pipeline) -> int:
    return int(pipeline.lake.buckets.total_seconds()) if partition_column(table) == "bucket" else 3600


def raw_expired(start_s: int, table: str, pipeline: Pipeline, now: datetime) -> bool:
    """Whether a partition's raw bytes are past `raw_retention`."""
    end_s = start_s + _length_s(table, pipeline)
    return table in STRIPPED and end_s < (now - pipeline.lake.raw_retention).timestamp()


def drop_expired(spark: SparkSession, path: str, table: str, pipeline: Pipeline, now: datetime) -> None:
    """Drop whole partitions past `retention`; questions OUTSIDE all buckets go by their append time."""
    column = partition_column(table)
    first_s = _first_kept(table, pipeline, now)
    starts = {partition.start_s for partition in partitions_of(path, table)}
    if any(OUTSIDE < start < first_s for start in starts):
        spark.sql(f"DELETE FROM delta.`{path}` WHERE {column} > {OUTSIDE} AND {column} < {first_s}")
    if OUTSIDE in starts:
        spark.sql(
            f"DELETE FROM delta.`{path}` WHERE {column} = {OUTSIDE} AND append_time < timestamp_seconds({first_s})"
        )


def _first_kept(table: str, pipeline: Pipeline, now: datetime) -> int:
    """Partitions that begin before are past `retention`; seconds since 1970."""
    return int((now - pipeline.lake.retention).timestamp()) - _length_s(table, pipeline)


def rewrite(spark: SparkSession, path: str, table: str, starts: Sequence[int], stripped: Sequence[int]) -> None:
    """Make one file of each partition in `starts`; those in `stripped` lose their raw bytes."""
    column = partition_column(table)
    records = spark.read.format("delta").load(path).where(F.col(column).isin(list(starts)))
    if stripped:
        payload_removed = F.lit(None).cast("binary")
        records = records.withColumn(
            "value", F.when(F.col(column).isin(list(stripped)), payload_removed).otherwise(F.col("value"))
        )
    writer = records.repartition(column).write.format("delta").mode("overwrite").option("dataChange", "false")
    writer.option("replaceWhere", f"{column} IN ({', '.join(map(str, starts))})").save(path)
