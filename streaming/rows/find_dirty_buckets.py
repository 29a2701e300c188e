"""Which buckets to build now: those that have closed, and closed ones that something has come to since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contract.pipeline import Pipeline
from contract.records import OUTSIDE
from streaming.lake.built_table import BuiltTable
from streaming.lake.delta_log import Added, LogGone, added_since, stamped_since
from streaming.lake.delta_tables import add_actions, opened
from streaming.lake.filesystem import file_system
from streaming.rows.build_buckets import Inputs
from streaming.rows.build_watermark import BuildWatermark

AGAIN_MS = 60_000
"""Closed buckets are built anew at most so often."""
SECOND_US = 1_000_000


@dataclass(frozen=True)
class DirtyBuckets:
    """What to build, and what is then noted."""

    closing: frozenset[int]
    reopening: frozenset[int]
    upto: BuildWatermark

    @property
    def buckets(self) -> frozenset[int]:
        return self.closing | self.reopening


def find_dirty_buckets(
    table: BuiltTable, pipeline: Pipeline, upto: BuildWatermark, inputs: Inputs, caught_up_to: datetime, now_ms: int
) -> DirtyBuckets:
    """The buckets that are past at `caught_up_to`; `inputs` must be versions that were read after that was known."""
    closed_to_s = max(upto.closed_to_s, int(caught_up_to.timestamp()) // table.bucket_s * table.bucket_s)
    there = _buckets_of(table.source, inputs.source) if _may_have_buckets(upto, inputs, closed_to_s) else frozenset()
    closing = {bucket for bucket in there if upto.closed_to_s < bucket + table.bucket_s <= closed_to_s}
    changed = _changed(table, pipeline, upto, inputs) - closing
    dirty = set(upto.pending) | {bucket for bucket in changed if bucket + table.bucket_s <= upto.closed_to_s}
    if now_ms - upto.reopened_ms < AGAIN_MS:
        reopening, pending, reopened_ms = frozenset[int](), tuple(sorted(dirty)), upto.reopened_ms
    else:
        reopening, pending, reopened_ms = frozenset(dirty), (), now_ms if dirty else upto.reopened_ms
    after = BuildWatermark(inputs.source, inputs.labels, closed_to_s, pending, reopened_ms)
    return DirtyBuckets(frozenset(closing), reopening, after)


def _may_have_buckets(upto: BuildWatermark, inputs: Inputs, closed_to_s: int) -> bool:
    return closed_to_s > upto.closed_to_s and inputs.source >= 0


def _changed(table: BuiltTable, pipeline: Pipeline, upto: BuildWatermark, inputs: Inputs) -> set[int]:
    """The buckets whose questions or labels are not those of the last build."""
    if upto.closed_to_s == 0:
        return set()
    questions = _added(table.source, upto.source, inputs.source, upto.closed_to_s)
    labels = _added(table.labels, upto.labels, inputs.labels, upto.closed_to_s)
    return _bucket_values(file.partition["bucket"] for file in questions) | _touched(table, pipeline, labels)


def _added(url: str, after: int, version: int, closed_to_s: int) -> list[Added]:
    """The files that were added since the last build, or more where the log does not go back so far.

    That build saw every record that Kafka had stamped before `closed_to_s`: what came later, imports too, is in a file
    with a newer stamp. This needs no log, so that a long outage, or a long import, does not have everything built anew.
    """
    try:
        return added_since(url, after, version)
    except LogGone:
        return stamped_since(url, version, closed_to_s)


def _touched(table: BuiltTable, pipeline: Pipeline, labels: list[Added]) -> set[int]:
    """The built buckets with a question to whose state one of these labels could matter.

    Those of its entity that it is not too late for, or that were asked after it came.
    """
    if not labels:
        return set()
    first = _first_labels(table.labels, labels)
    late_us = round(pipeline.label.max_late.total_seconds() * 1e6)
    reach_us = max(late_us, round(pipeline.label.max_wait.total_seconds() * 1e6)) + table.bucket_s * SECOND_US
    since_s = (pc.min(first["label_us"]).as_py() - reach_us) // SECOND_US
    columns = ["key", "bucket", "append_time"]
    with opened(table.url) as newest:
        built = newest.to_pyarrow_table(columns=columns, filters=[("bucket", ">=", since_s)])
    both = built.join(first, "key", join_type="inner")
    counts_until = pc.multiply(pc.add(both["bucket"], table.bucket_s), SECOND_US)
    in_time = pc.less(both["label_us"], pc.add(counts_until, late_us))
    known = pc.less_equal(both["label_us"], both["append_time"].cast(pa.int64()))
    return set(pc.unique(both["bucket"].filter(pc.or_(in_time, known))).to_pylist())


def _first_labels(url: str, added: list[Added]) -> pa.Table:
    """`key, label_us`: the earliest of the added labels of each entity; if it does not matter, none of them does."""
    files, root = file_system(url)
    parts = []
    for path in {file.path for file in added}:
        with files.open(f"{root}/{path}", "rb") as file:
            parts.append(pq.ParquetFile(file).read(columns=["key", "append_time"]))
    labels = pa.concat_tables(parts)
    stamps = labels["append_time"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    grouped = pa.table({"key": labels["key"], "stamp": stamps}).group_by("key").aggregate([("stamp", "min")])
    return grouped.select(["key", "stamp_min"]).rename_columns(["key", "label_us"])


def _buckets_of(url: str, version: int) -> frozenset[int]:
    return frozenset(_bucket_values(add_actions(url, version)["partition.bucket"].to_pylist()))


def _bucket_values(values: Iterable[object]) -> set[int]:
    return {int(str(value)) for value in values} - {OUTSIDE}
