"""Our own prediction records into columns; what does not fit becomes a dead letter with its reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from streaming.ingest.prediction_decoder import decode

GOOD: dict[str, Any] = {
    "prediction_id": "p1",
    "id": "q1",
    "key": '["AA",1]',
    "as_of": "2026-03-02T12:00:00.250Z",
    "due": None,
    "model": "flights-20261121T021700Z",
    "probability": 1,
    "hypothetical": False,
    "features": {"distance": 0.1, "nested": None},
    "event": {"carrier": "AA"},
    "traceparent": "ignored here",
}


def one(value: bytes) -> dict[str, Any]:
    row: dict[str, Any] = decode(pa.array([value], pa.binary())).to_pylist()[0]
    return row


def test_a_record_becomes_a_row() -> None:
    row = one(json.dumps(GOOD).encode())
    assert row["reason"] is None
    assert (row["prediction_id"], row["probability"], row["due"]) == ("p1", 1.0, None)
    assert row["as_of"] == datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)


def test_features_and_event_stay_json_text_and_doubles_keep_every_bit() -> None:
    row = one(json.dumps(GOOD | {"features": {"x": 0.1 + 0.2, "y": 5e-324}}).encode())
    assert json.loads(row["features"]) == {"x": 0.1 + 0.2, "y": 5e-324}
    assert row["event"] == '{"carrier":"AA"}'


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (b"", "not_json", None),
        (b'{"prediction_id": "p1"', "not_json", None),
        (b'{"probability": NaN}', "not_json", None),
        (b"\xff", "not_json", None),
        (b"[" * 100_000, "not_json", None),
        (b"[]", "not_an_object", None),
        (json.dumps(GOOD | {"model": None}).encode(), "missing", "model"),
        (json.dumps(GOOD | {"as_of": "yesterday"}).encode(), "wrong_type", "as_of"),
        (json.dumps(GOOD | {"as_of": "2026-03-02T12:00:00"}).encode(), "wrong_type", "as_of"),
        (json.dumps(GOOD | {"probability": "0.5"}).encode(), "wrong_type", "probability"),
        (json.dumps(GOOD | {"probability": 10**400}).encode(), "wrong_type", "probability"),
        (json.dumps(GOOD | {"hypothetical": 0}).encode(), "wrong_type", "hypothetical"),
        (json.dumps(GOOD | {"features": "x"}).encode(), "wrong_type", "features"),
    ],
)
def test_what_does_not_fit_says_why(value: bytes, reason: str, field: str | None) -> None:
    row = one(value)
    assert (row["reason"], row["field"]) == (reason, field)
