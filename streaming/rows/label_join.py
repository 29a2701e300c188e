"""Resolved questions into records of `rows` or `outcomes`: what Spark's workers run last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from streaming.pipeline_file.compile_pipeline import transform_of
from streaming.rows.state_rules import LabelSeen, Rules, Verdict, state_of

SECOND_US = 1_000_000


@dataclass(frozen=True)
class LabelJoin:
    """Plain data: Spark sends it to its workers."""

    schema: pa.Schema
    rules: Rules
    bucket_s: int
    spec: str | None
    """The program of the features; None for a table without."""

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """In: the table's own columns as far as they are copied, `first`, `labels`, and `event` where features are."""
        for batch in batches:
            yield self._decided(batch)

    def _decided(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        verdicts = self._verdicts(batch)
        columns = {name: batch[name] for name in batch.schema.names if name in self.schema.names}
        columns |= {
            "state": pa.array([v.state for v in verdicts], pa.string()),
            "label": pa.array([v.label for v in verdicts], pa.bool_()),
            "label_append_time": pa.array([v.label_append_us for v in verdicts], pa.int64()),
            "label_missing": pa.array([v.label_missing for v in verdicts], pa.bool_()),
        }
        if self.spec is not None:
            columns |= _features(self.spec, batch, pc.equal(columns["state"], "row"))
        return pa.record_batch([columns[f.name].cast(f.type) for f in self.schema], schema=self.schema)

    def _verdicts(self, batch: pa.RecordBatch) -> list[Verdict]:
        append_us = batch["append_time"].cast(pa.int64()).to_pylist()
        ends_us = [(bucket + self.bucket_s) * SECOND_US for bucket in batch["bucket"].to_pylist()]
        questions = zip(batch["first"].to_pylist(), append_us, ends_us, _labels(batch["labels"]), strict=True)
        return [state_of(*question, self.rules) for question in questions]


def label_values(spec: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """`key, append_us, partition, offset, label` in; the same with the label's value out, where that is not NULL."""
    for batch in batches:
        value = pa.record_batch(transform_of(spec).label_values(pa.record_batch({"label": batch["label"]})))["value"]
        columns = {name: batch[name] for name in ("key", "append_us", "partition", "offset")} | {"value": value}
        yield pa.record_batch(columns).filter(pc.is_valid(value))


def _labels(lists: pa.Array) -> list[list[LabelSeen]]:
    """NULL, of an entity without labels, is an empty list."""
    items = lists.flatten()
    seen = list(map(LabelSeen, *(items.field(name).to_pylist() for name in LabelSeen._fields)))
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_pylist()
    found, at = [], 0
    for length in lengths:
        found.append(seen[at : at + length])
        at += length
    return found


def _features(spec: str, batch: pa.RecordBatch, is_row: pa.Array) -> dict[str, pa.Array]:
    """The features at the question's `as_of`; NULL where the question is no row."""
    values = pa.record_batch(
        transform_of(spec).features(pa.record_batch({name: batch[name] for name in ("event", "as_of")}))
    )
    return {name: pc.if_else(is_row, values[name], pa.scalar(None, values[name].type)) for name in values.schema.names}
