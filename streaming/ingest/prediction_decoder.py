"""Our own records on `<pipeline>.predictions` into columns; `features` and `event` stay the JSON text that they are."""

from __future__ import annotations

import json
from functools import cache

import pyarrow as pa

from contract.records import POSITION, PREDICTION, PREDICTION_REQUIRED, PREDICTIONS
from streaming._native import RecordForm

COLUMNS = [field.name for field in PREDICTIONS if field not in POSITION and field.name != "bucket"]


def decode(values: pa.Array) -> pa.RecordBatch:
    """The table's own columns, and `reason, field, detail, at_byte`, which are NULL for a good record."""
    decoded = pa.record_batch(_form().decode(pa.record_batch({"value": values})))
    problems = {name: decoded[name] for name in ("reason", "field", "detail", "at_byte")}
    record = decoded["record"]
    return pa.record_batch(problems | {name: record.field(name) for name in COLUMNS})


@cache
def _form() -> RecordForm:
    return RecordForm(json.dumps([_field(name, PREDICTION[name]) for name in COLUMNS]))


def _field(name: str, kind: str) -> dict[str, object]:
    is_object = kind == "object"
    return {
        "name": name,
        "type": "string" if is_object else kind,
        "object": is_object,
        "required": name in PREDICTION_REQUIRED,
        "sensitive": False,
    }
