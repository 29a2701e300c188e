"""Reference rows: what a compiled model must reproduce before it may answer."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import FEATURE_PREFIX
from contract.stored_event import is_answerable, stored_event
from contract.timestamps import rfc3339, to_us
from streaming.lake.delta_tables import opened
from training.algorithms.by_name import algorithm_of
from training.evaluation.holdout_metrics import Scored
from training.h2o.import_window import IDENTITY
from training.window import Window

ROWS = 400
TRIED = 4 * ROWS
"""So many rows are looked at: of those that JSON can hold, `ROWS` are taken."""
EVENTS = 50

Ints: TypeAlias = npt.NDArray[np.int64]
Row: TypeAlias = dict[str, Any]


def reference_rows(
    places: Places, pipeline: Pipeline, window: Window, model: Any, holdout: Any, scored: Scored
) -> Iterator[dict[str, Any]]:
    """Rows spread over the holdout, with H2O's own answers; the first `EVENTS` also with their events.

    A row and its event are found by the event's identity: of a topic that was made anew, two records may have one
    partition and offset.
    """
    candidates = _spread(np.arange(len(scored.offset)), TRIED)
    rows = _rows_of(pipeline, window, scored, candidates)
    indices = [int(index) for index in _spread(np.array(sorted(rows)), ROWS)]
    labels, leaves = _answers(pipeline, model, holdout, indices)
    events = reference_events(places, pipeline, [rows[index] for index in indices[:EVENTS]])
    for index, label, nodes in zip(indices, labels, leaves, strict=True):
        row = rows[index]
        event = events.get(_identity(row))
        yield {
            "features": {name: _missing_as_null(row[FEATURE_PREFIX + name]) for name in pipeline.features},
            "probability": float(scored.probability[index]),
            "positive": label,
            "leaves": nodes,
            "event": event,
            "as_of": None if event is None else rfc3339(row["as_of"], "microseconds"),
        }


def _answers(pipeline: Pipeline, model: Any, holdout: Any, indices: list[int]) -> tuple[list[bool], list[list[int]]]:
    """H2O's label and leaves of these rows."""
    if not indices:
        return [], []
    algorithm, rows = algorithm_of(pipeline), holdout[indices, :]
    return algorithm.labels(model, rows), algorithm.leaves(model, rows)


def newest_question(pipeline: Pipeline, window: Window) -> datetime:
    """The newest `as_of` among the training rows: what a model's age counts from."""
    reach = window.split - int(pipeline.label.max_wait.total_seconds())
    with opened(window.table, window.version) as table:
        among = _in_buckets(window, max(window.start, reach), window.split)
        moments = table.to_pyarrow_table(columns=["as_of"], filters=among)["as_of"]
    newest: datetime | None = pc.max(moments).as_py()
    return (newest or datetime.fromtimestamp(window.start, UTC)).astimezone(UTC)


def _spread(values: Ints, count: int) -> Ints:
    """At most `count` of these, evenly spread."""
    return values[np.unique(np.linspace(0, len(values) - 1, min(count, len(values))).round().astype(np.int64))]


def _rows_of(pipeline: Pipeline, window: Window, scored: Scored, indices: Ints) -> dict[int, Row]:
    """By index in `scored`: the rows that JSON can hold. Only these rows become Python objects."""
    index_of = {(int(scored.partition[i]), int(scored.offset[i]), int(scored.append_us[i])): int(i) for i in indices}
    columns = [*IDENTITY, "bucket", "as_of", *(FEATURE_PREFIX + name for name in pipeline.features)]
    among = _in_buckets(window, window.split, window.end)
    with opened(window.table, window.version) as table:
        holdout = table.to_pyarrow_table(columns=columns, filters=among)
    rows = _with_offsets(holdout, {offset for _, offset, _ in index_of}).to_pylist()
    return {index_of[_identity(row)]: row for row in rows if _identity(row) in index_of and _is_finite(row)}


def _in_buckets(window: Window, start: int, end: int) -> pc.Expression:
    bucket = pc.field("bucket")
    among = (pc.field("state") == "row") & (bucket >= start) & (bucket < end)
    for first, after in window.excluded:
        among &= (bucket < first) | (bucket >= after)
    return among


def _identity(row: Row) -> tuple[int, int, int]:
    return row["partition"], row["offset"], to_us(row["append_time"])


def reference_events(places: Places, pipeline: Pipeline, rows: list[Row]) -> dict[tuple[int, int, int], Row]:
    """The rows' events by identity, as JSON can hold them: declared fields alone, with their exact values.

    An event is left out if retention has taken it, or if it lacks a field that a question may not lack: one that was
    declared after it came.
    """
    if not rows:
        return {}
    wanted = {_identity(row) for row in rows}
    among = pc.field("bucket").isin(sorted({row["bucket"] for row in rows}))
    with opened(places.table(pipeline.name, "events")) as table:
        asked = table.to_pyarrow_table(columns=[*IDENTITY, "event"], filters=among)
    found = _with_offsets(asked, {row["offset"] for row in rows}).to_pylist()
    events = {_identity(each): _event(pipeline, each["event"] or {}) for each in found if _identity(each) in wanted}
    return {identity: event for identity, event in events.items() if is_answerable(pipeline, event)}


def _with_offsets(records: pa.Table, offsets: Collection[int]) -> pa.Table:
    """Filters what was read, as the reader must not: where a table's log has no extremes of a column, deltalake (1.6.6)
    takes them for NULL, and a filter on that column finds nothing."""
    return records.filter(pc.is_in(records["offset"], pa.array(sorted(offsets), pa.int64())))


def _event(pipeline: Pipeline, row: Row) -> Row:
    fields = {name: to_us(value) if isinstance(value, datetime) else value for name, value in row.items()}
    return stored_event(pipeline, fields)


def _is_finite(row: Row) -> bool:
    """JSON has no infinities: a row that holds one is no reference."""
    return not any(isinstance(value, float) and math.isinf(value) for value in row.values())


def _missing_as_null(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
