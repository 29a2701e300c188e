"""Resolved questions into records of `rows` or `outcomes`: what Spark's workers run last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from streaming.pipeline_file.compile_pipeline import transform_of
from streaming.rows.state_rules import LABELS, QUESTIONS, Rules, states

SECOND_US = 1_000_000
VALUED = ("append_us", "partition", "offset", "value")
"""The fields of a label in the list `labels`."""


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
        verdicts = states(self._questions(batch), _labels(batch["labels"]), self.rules).combine_chunks()
        columns = {name: batch[name] for name in batch.schema.names if name in self.schema.names}
        columns |= {name: verdicts[name].combine_chunks() for name in ("state", "label", "label_missing")}
        columns["label_append_time"] = verdicts["label_append_us"].combine_chunks()
        if self.spec is not None:
            columns |= _features(self.spec, batch, pc.equal(columns["state"], "row"))
        return pa.record_batch([columns[f.name].cast(f.type) for f in self.schema], schema=self.schema)

    def _questions(self, batch: pa.RecordBatch) -> pa.Table:
        ends_us = pc.multiply(pc.add(batch["bucket"], self.bucket_s), SECOND_US)
        columns = [batch["first"], batch["append_time"].cast(pa.int64()), ends_us]
        return pa.table(columns, schema=QUESTIONS)


def label_values(spec: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """`key, append_us, partition, offset, label` in; the same with the label's value out, where that is not NULL."""
    for batch in batches:
        value = pa.record_batch(transform_of(spec).label_values(pa.record_batch({"label": batch["label"]})))["value"]
        columns = {name: batch[name] for name in ("key", "append_us", "partition", "offset")} | {"value": value}
        yield pa.record_batch(columns).filter(pc.is_valid(value))


def _labels(lists: pa.Array) -> pa.Table:
    """The labels of all questions, each with its question's number; an entity without labels has NULL."""
    items = lists.flatten()
    columns = {name: items.field(name) for name in VALUED}
    return pa.table({"question": pc.list_parent_indices(lists)} | columns).cast(LABELS)


def _features(spec: str, batch: pa.RecordBatch, is_row: pa.Array) -> dict[str, pa.Array]:
    """The features at the question's `as_of`; NULL where the question is no row."""
    values = pa.record_batch(
        transform_of(spec).features(pa.record_batch({name: batch[name] for name in ("event", "as_of")}))
    )
    return {name: pc.if_else(is_row, values[name], pa.scalar(None, values[name].type)) for name in values.schema.names}
