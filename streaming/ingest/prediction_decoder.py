"""Our own records on `<pipeline>.predictions` into columns; `features` and `event` stay the JSON text that they are."""

from __future__ import annotations

import json
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from contract.records import POSITION, PREDICTION, PREDICTION_REQUIRED, PREDICTIONS
from streaming._native import RecordForm

COLUMNS = [field.name for field in PREDICTIONS if field not in POSITION and field.name != "bucket"]


def decode(values: pa.Array) -> pa.RecordBatch:
    """The table's own columns, and `reason, field, detail, at_byte`, which are NULL for a good record."""
    decoded = pa.record_batch(_form().decode(pa.record_batch({"value": values})))
    problems = {name: decoded[name] for name in ("reason", "field", "detail", "at_byte")}
    record = decoded["record"]
    columns = {name: record.field(name) for name in COLUMNS}
    return pa.record_batch(_with_impossible(problems, columns["probability"]) | columns)


def _with_impossible(problems: dict[str, pa.Array], probability: pa.Array) -> dict[str, pa.Array]:
    """The problems, and that of a probability that cannot be: one such record would spoil every figure of its model."""
    is_possible = pc.and_(pc.greater_equal(probability, 0.0), pc.less_equal(probability, 1.0))
    is_other = pc.and_(pc.is_null(problems["reason"]), pc.invert(pc.fill_null(is_possible, False)))
    said = {"reason": "wrong_type", "field": "probability", "detail": "must be a number from 0 to 1"}
    return problems | {name: pc.if_else(is_other, text, problems[name]) for name, text in said.items()}


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
