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


@pytest.mark.parametrize("probability", [0, 1, 0.0, 1.0, 5e-324])
def test_every_probability_from_0_to_1_is_good(probability: float) -> None:
    row = one(json.dumps(GOOD | {"probability": probability}).encode())
    assert (row["reason"], row["detail"], row["probability"]) == (None, None, probability)


def test_features_and_event_stay_json_text_and_doubles_keep_every_bit() -> None:
    row = one(json.dumps(GOOD | {"features": {"x": 0.1 + 0.2, "y": 5e-324}}).encode())
    assert json.loads(row["features"]) == {"x": 0.1 + 0.2, "y": 5e-324}
    assert row["event"] == '{"carrier": "AA"}'


@pytest.mark.parametrize("inside", [b"9e9999", b"9" * 5000, b"[" * 3000 + b"]" * 3000, b'"\\ud800"', b'1, "a": 2'])
def test_features_and_event_may_hold_anything_that_is_json(inside: bytes) -> None:
    text = b'{ "a": ' + inside + b"}"
    row = one(json.dumps(GOOD).encode().replace(b'{"carrier": "AA"}', text))
    assert (row["reason"], row["event"]) == (None, text.decode())


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
        (json.dumps({name: GOOD[name] for name in GOOD if name != "probability"}).encode(), "missing", "probability"),
        (json.dumps(GOOD | {"probability": None}).encode(), "missing", "probability"),
        (json.dumps(GOOD | {"probability": -5e300}).encode(), "wrong_type", "probability"),
        (json.dumps(GOOD | {"probability": 1.0000001}).encode(), "wrong_type", "probability"),
        (json.dumps(GOOD | {"as_of": "yesterday"}).encode(), "wrong_type", "as_of"),
        (json.dumps(GOOD | {"as_of": "2026-03-02T12:00:00"}).encode(), "wrong_type", "as_of"),
        (json.dumps(GOOD | {"probability": "0.5"}).encode(), "wrong_type", "probability"),
        (json.dumps(GOOD | {"probability": 10**400}).encode(), "wrong_type", "probability"),
        (json.dumps(GOOD | {"hypothetical": 0}).encode(), "wrong_type", "hypothetical"),
        (json.dumps(GOOD | {"features": "x"}).encode(), "wrong_type", "features"),
        (json.dumps(GOOD | {"event": []}).encode(), "wrong_type", "event"),
        (json.dumps(GOOD | {"id": "\ud800"}).encode(), "wrong_type", "id"),
        (json.dumps(GOOD | {"key": "\udc00\ud800"}).encode(), "wrong_type", "key"),
        (json.dumps(GOOD | {"as_of": "0001-01-01T00:00:00+14:00"}).encode(), "wrong_type", "as_of"),
        (json.dumps(GOOD | {"due": "9999-12-31T23:59:59-00:01"}).encode(), "wrong_type", "due"),
        (json.dumps(GOOD | {"answered": 2**63}).encode(), "wrong_type", "answered"),
        (json.dumps(GOOD).encode().replace(b": 1,", b": 9e9999,"), "wrong_type", "probability"),
        (json.dumps(GOOD).encode().replace(b": 1,", b": " + b"9" * 5000 + b","), "wrong_type", "probability"),
        (json.dumps(GOOD).encode().replace(b'"id": "q1"', b'"id": "q1", "id": "q2"'), "duplicate_field", "id"),
        (json.dumps(GOOD).encode().replace(b"q1", b"\xff"), "not_json", None),
    ],
)
def test_what_does_not_fit_says_why(value: bytes, reason: str, field: str | None) -> None:
    row = one(value)
    assert (row["reason"], row["field"]) == (reason, field)
    assert row["detail"]
