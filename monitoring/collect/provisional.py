"""Provisional outcomes: predictions whose label is there although their bucket is not built yet.

They favour whatever finishes first: they are shown as provisional, and nothing is decided by them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from deltalake.exceptions import TableNotFoundError

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import TIMESTAMP
from monitoring.collect.outcomes import Outcomes, grouped
from streaming._native import Transform
from streaming.lake.delta_tables import opened
from streaming.pipeline_file.compile_pipeline import compile_pipeline

EVERY_S = 30.0
_PREDICTION = ["id", "key", "model", "due", "probability", "append_time", "hypothetical", "bucket"]
_OUTCOME = pa.schema([
    ("bucket", pa.int64()), ("due", TIMESTAMP), ("model", pa.string()), ("probability", pa.float64()),
    ("label", pa.bool_()),
])  # fmt: skip
_LABEL = ["key", "append_time", "partition", "offset", "label"]


@dataclass(frozen=True)
class Label:
    """The label of an entity that counts: the highest in (append time, partition, offset) whose value is not NULL."""

    value: bool
    order: tuple[datetime, int, int]
    first: datetime
    """When the entity's first such label was appended: what is asked from then on is known."""


@dataclass
class ProvisionalReader:
    """Reads predictions and labels anew at most every `EVERY_S`: both tables get a version every few seconds."""

    places: Places
    pipeline: Pipeline
    _next_read_s: float = 0.0
    _outcomes: Outcomes = field(default_factory=Outcomes)
    _transform: Transform = field(init=False)

    def __post_init__(self) -> None:
        self._transform = Transform(compile_pipeline(self.pipeline).spec)

    def read(self, since_s: float) -> Outcomes:
        """Of the predictions due since a moment, those with a label; none while a table is missing."""
        if time.monotonic() >= self._next_read_s:
            self._outcomes = self._read(since_s)
            self._next_read_s = time.monotonic() + EVERY_S
        return self._outcomes

    def _read(self, since_s: float) -> Outcomes:
        try:
            predictions = self._table("predictions", _PREDICTION, ("bucket", ">=", int(since_s)))
            labels = self._table("labels", _LABEL, ("append_hour", ">=", int(since_s - self._reach_s)))
        except TableNotFoundError:
            return Outcomes()
        joined = join(predictions.to_pylist(), self._labels(labels))
        return Outcomes((grouped(pa.RecordBatch.from_pylist(joined, schema=_OUTCOME)),))

    def _table(self, name: str, columns: Sequence[str], since: tuple[str, str, int]) -> pa.Table:
        with opened(self.places.table(self.pipeline.name, name)) as table:
            return table.to_pyarrow_table(columns=list(columns), filters=[since])

    @property
    def _reach_s(self) -> float:
        return self.pipeline.label.max_wait.total_seconds() + 3600

    def _labels(self, came: pa.Table) -> dict[str, Label]:
        values: list[bool | None] = []
        for batch in came.select(["label"]).to_batches():
            values += pa.record_batch(self._transform.label_values(batch))["value"].to_pylist()
        return labels_of(came.select(_LABEL[:-1]).to_pylist(), values)


def labels_of(rows: Iterable[Mapping[str, Any]], values: Iterable[bool | None]) -> dict[str, Label]:
    """By entity, the label that counts."""
    found: dict[str, Label] = {}
    for row, value in zip(rows, values, strict=True):
        if value is None:
            continue
        order = (row["append_time"], row["partition"], row["offset"])
        new = Label(value, order, first=order[0])
        old = found.setdefault(row["key"], new)
        found[row["key"]] = replace(max(old, new, key=lambda label: label.order), first=min(old.first, new.first))
    return found


def join(predictions: Iterable[Mapping[str, Any]], labels: Mapping[str, Label]) -> list[dict[str, Any]]:
    """The first prediction per id and model, where its entity has a label that came after it."""
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in sorted(predictions, key=lambda row: row["append_time"]):
        if not row["hypothetical"] and row["due"] is not None:
            first.setdefault((row["id"], row["model"]), row)
    return [
        dict(row) | {"label": labels[row["key"]].value}
        for row in first.values()
        if row["key"] in labels and labels[row["key"]].first > row["append_time"]
    ]
