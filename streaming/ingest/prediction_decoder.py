"""Our own records on `<pipeline>.predictions` into columns; `features` and `event` stay JSON text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa

from contract.records import POSITION, PREDICTION, PREDICTIONS

REQUIRED = ("prediction_id", "key", "as_of", "model")
COLUMNS = [field for field in PREDICTIONS if field not in POSITION and field.name != "bucket"]
PROBLEM = [pa.field(name, pa.string()) for name in ("reason", "field", "detail")] + [pa.field("at_byte", pa.int64())]


class _Refused(ValueError):
    """reason, field, detail, at_byte."""


def decode(values: pa.Array) -> pa.RecordBatch:
    """The table's own columns, and `reason, field, detail, at_byte`, which are NULL for a good record."""
    rows = [_row(value) for value in values.to_pylist()]
    return pa.RecordBatch.from_pylist(rows, schema=pa.schema(COLUMNS + PROBLEM))


def _row(value: bytes) -> dict[str, Any]:
    try:
        record = _object(value)
        return {column.name: _field(record, column.name) for column in COLUMNS}
    except _Refused as refused:
        return dict(zip(("reason", "field", "detail", "at_byte"), refused.args, strict=True))


def _object(value: bytes) -> dict[str, Any]:
    try:
        record = json.loads(value, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _Refused("not_json", None, error.msg, error.pos) from None
    except (ValueError, RecursionError) as error:
        raise _Refused("not_json", None, str(error), None) from None
    if not isinstance(record, dict):
        raise _Refused("not_an_object", None, f"a JSON {type(record).__name__}", 0)
    return record


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _field(record: dict[str, Any], name: str) -> Any:
    value = record.get(name)
    if value is None:
        if name in REQUIRED:
            raise _Refused("missing", name, None, None)
        return None
    try:
        return _READ[PREDICTION[name]](value)
    except ValueError as error:
        raise _Refused("wrong_type", name, str(error), None) from None


def _exactly(*kinds: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) not in kinds:
            raise ValueError(f"a JSON {type(value).__name__}")
        return value

    return read


def _double(value: Any) -> float:
    try:
        return float(_exactly(int, float)(value))
    except OverflowError:
        raise ValueError("larger than a double") from None


def _timestamp(value: Any) -> datetime:
    moment = datetime.fromisoformat(_exactly(str)(value))
    if moment.tzinfo is None:
        raise ValueError("a time without its offset")
    return moment


def _text_of_object(value: Any) -> str:
    return json.dumps(_exactly(dict)(value), separators=(",", ":"), ensure_ascii=False)


_READ: dict[str, Callable[[Any], Any]] = {
    "string": _exactly(str),
    "boolean": _exactly(bool),
    "double": _double,
    "timestamp": _timestamp,
    "object": _text_of_object,
}
