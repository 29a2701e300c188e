"""Reference rows: what a compiled model must reproduce before it may answer."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import FEATURE_PREFIX
from contract.timestamps import rfc3339
from streaming.lake.delta_tables import opened
from training.algorithms.gbm import predictions
from training.evaluation.holdout_metrics import Scored
from training.window import Window

ROWS = 400
EVENTS = 50


def reference_rows(
    places: Places, pipeline: Pipeline, window: Window, model: Any, holdout: Any, scored: Scored
) -> Iterator[dict[str, Any]]:
    """Rows spread over the holdout, with H2O's own answers; the first `EVENTS` also with their event's bytes."""
    rows = _holdout_rows(pipeline, window)
    position = {key: index for index, key in enumerate(zip(scored.partition, scored.offset, strict=True))}
    known = [row for row in rows if (row["partition"], row["offset"]) in position and _is_finite(row)]
    picked = [known[i] for i in sorted({round(i) for i in np.linspace(0, len(known) - 1, min(ROWS, len(known)))})]
    order = sorted(picked, key=lambda row: position[row["partition"], row["offset"]])
    indices = [position[row["partition"], row["offset"]] for row in order]
    labels, leaves = predictions(model, holdout[indices, :])
    events = _events(places, pipeline, order[:EVENTS])
    for row, index, label, nodes in zip(order, indices, labels, leaves, strict=True):
        event = events.get((row["partition"], row["offset"]))
        yield {
            "features": {name: _missing_as_null(row[FEATURE_PREFIX + name]) for name in pipeline.features},
            "probability": float(scored.probability[index]),
            "positive": label,
            "leaves": nodes,
            "event": None if event is None else json.loads(event),
            "as_of": None if event is None else rfc3339(row["as_of"], "microseconds"),
        }


def newest_question(pipeline: Pipeline, window: Window) -> datetime:
    """The newest `as_of` among the training rows: what a model's age counts from."""
    reach = window.split - int(pipeline.label.max_wait.total_seconds())
    table = _rows(window, ["as_of"], max(window.start, reach), window.split)
    newest: datetime = max(table["as_of"].to_pylist(), default=datetime.fromtimestamp(window.start, UTC))
    return newest.astimezone(UTC)


def _holdout_rows(pipeline: Pipeline, window: Window) -> list[dict[str, Any]]:
    columns = ["partition", "offset", "bucket", "as_of", *(FEATURE_PREFIX + name for name in pipeline.features)]
    rows: list[dict[str, Any]] = _rows(window, columns, window.split, window.end).to_pylist()
    return rows


def _rows(window: Window, columns: list[str], start: int, end: int) -> pa.Table:
    filters = [("state", "=", "row"), ("bucket", ">=", start), ("bucket", "<", end)]
    with opened(window.table, window.version) as table:
        return table.to_pyarrow_table(columns=columns, filters=filters)


def _events(places: Places, pipeline: Pipeline, rows: list[dict[str, Any]]) -> dict[tuple[int, int], bytes]:
    """The stored bytes of the rows' events; one that its retention has taken is left out."""
    wanted = {(row["partition"], row["offset"]) for row in rows}
    buckets = sorted({row["bucket"] for row in rows})
    with opened(places.table(pipeline.name, "events")) as table:
        columns, filters = ["partition", "offset", "value"], [("bucket", "in", buckets)]
        events = table.to_pyarrow_table(columns=columns, filters=filters)
    found = zip(*(events[name].to_pylist() for name in ("partition", "offset", "value")), strict=True)
    return {(p, o): value for p, o, value in found if (p, o) in wanted and value is not None}


def _is_finite(row: dict[str, Any]) -> bool:
    """JSON has no infinities: a row that holds one is no reference."""
    return not any(isinstance(value, float) and math.isinf(value) for value in row.values())


def _missing_as_null(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
