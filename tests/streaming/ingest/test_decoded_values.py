"""RecordDecoder: valid records come back as they were written, and nothing that a producer sends does harm."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.timestamps import to_us
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL, changed, transform_of

TRANSFORM = transform_of(load(MINIMAL))
NOW_US = to_us(datetime(2026, 1, 1, tzinfo=UTC))

INTS = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))
RECORDS = st.fixed_dictionaries(
    {"reading": INTS, "machine": INTS, "shift": INTS, "temperature": DOUBLES},
    optional={
        "read_at": MOMENTS,
        "vibration": DOUBLES | st.none(),
        "hours_run": INTS | st.none(),
        "load": DOUBLES,
        "alarm": st.booleans() | st.none(),
    },
)
JSON = st.recursive(
    st.none() | st.booleans() | INTS | DOUBLES | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def encode(record: object) -> bytes:
    """The record as a producer writes it."""
    return json.dumps(record, default=datetime.isoformat).encode()


def decode(bodies: list[bytes | None]) -> list[dict[str, Any]]:
    batch = pa.record_batch({"value": pa.array(bodies, pa.binary())})
    rows: list[dict[str, Any]] = pa.record_batch(TRANSFORM.decode_events(batch)).to_pylist()
    return rows


@given(RECORDS)
def test_a_valid_record_comes_back_as_it_was_written(record: dict[str, Any]) -> None:
    body = encode(record)
    [row] = decode([body])
    assert row["reason"] is None
    assert row["stored"] == body
    assert row["event"] == dict.fromkeys(row["event"]) | record
    assert row["id"] == str(record["reading"])
    assert json.loads(row["key"]) == [record["machine"], record["shift"]]
    assert row["as_of"] == record.get("read_at")


@given(st.lists(RECORDS.map(encode) | st.binary() | JSON.map(encode) | st.none(), max_size=8))
def test_a_batch_decodes_as_its_records_one_by_one(bodies: list[bytes | None]) -> None:
    assert decode(bodies) == [row for body in bodies for row in decode([body])]


@given(RECORDS)
def test_a_request_gives_the_features_of_the_batch(record: dict[str, Any]) -> None:
    row = pa.record_batch(TRANSFORM.decode_events(pa.record_batch({"value": pa.array([encode(record)], pa.binary())})))
    features = pa.record_batch(TRANSFORM.features(pa.record_batch({"event": row["event"], "as_of": row["as_of"]})))
    answer = TRANSFORM.question(encode(record), None, NOW_US)
    assert {f"f_{name}": value for name, value in answer["features"].items()} == features.to_pylist()[0]


@given(
    st.binary()
    | JSON.map(encode)
    | st.tuples(RECORDS.map(encode), st.binary(), st.integers(0, 200)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    )
)
def test_a_request_is_refused_exactly_where_kafka_would_make_a_dead_letter(body: bytes) -> None:
    [row] = decode([body])
    errors = TRANSFORM.question(body, None, NOW_US)["errors"]
    assert (row["reason"] is None) == (not errors)
    if errors:
        first = errors[0]
        assert [row[name] for name in ("reason", "field", "detail", "at_byte")] == list(first.values())


@pytest.mark.parametrize(
    ("body", "as_of_us", "expected", "source"),
    [
        ({"read_at": 5}, 7, 7, "query"),
        ({"read_at": 5}, None, 5000, "body"),
        ({"read_at": None}, None, NOW_US, "clock"),
    ],
)
def test_the_moment_is_the_callers_else_the_bodys_else_now(
    body: dict[str, Any], as_of_us: int | None, expected: int, source: str
) -> None:
    record = {"reading": 1, "machine": 1, "shift": 1, "temperature": 1.0} | body
    answer = TRANSFORM.question(encode(record), as_of_us, NOW_US)
    assert (answer["as_of_us"], answer["as_of_source"]) == (expected, source)
    assert answer["due_us"] == expected + timedelta(minutes=2) // timedelta(microseconds=1)


def test_every_error_of_a_request_is_listed_with_its_place() -> None:
    answer = TRANSFORM.question(b'{"machine": 1.5, "alarm": "no", "color": "red"}', None, NOW_US)
    places = [(error["reason"], error["field"], error["at_byte"]) for error in answer["errors"]]
    assert places == [
        ("wrong_type", "machine", 12),
        ("wrong_type", "alarm", 26),
        ("missing", "reading", None),
        ("missing", "shift", None),
        ("missing", "temperature", None),
    ]
    assert answer["features"] == {}
    assert answer["unknown"] == ["color"]


def test_a_sensitive_field_is_decoded_and_nowhere_stored(tmp_path: Path) -> None:
    pipeline = changed(
        tmp_path, ('shift = "int"\ntemp', 'shift = "int"\nowner = { type = "string", sensitive = true }\ntemp')
    )
    transform = transform_of(pipeline)
    body = b'{"reading": 1, "owner": "Ada", "machine": 1, "shift": 1, "temperature": 1, "note": [1]}'
    row = pa.record_batch(transform.decode_events(pa.record_batch({"value": [body]}))).to_pylist()[0]
    assert row["stored"] == b'{"reading":1,"machine":1,"shift":1,"temperature":1,"note":[1]}'
    assert "owner" not in row["event"]
    assert transform.question(body, None, NOW_US)["fields"]["owner"] == "Ada"


def test_a_record_without_a_value_is_a_dead_letter() -> None:
    assert decode([None])[0]["reason"] == "not_json"


def test_a_field_that_older_rows_lack_is_null_in_features() -> None:
    events = pa.array([{"temperature": 2.0}], pa.struct([("temperature", pa.float64())]))
    batch = pa.record_batch({"event": events, "as_of": pa.array([0], pa.timestamp("us", "UTC"))})
    [row] = pa.record_batch(TRANSFORM.features(batch)).to_pylist()
    assert (row["f_temperature"], row["f_heat"], row["f_vibration"]) == (2.0, None, 0.0)


def test_a_label_gives_its_outcome() -> None:
    bodies = [b'{"machine":1,"shift":1,"failures":2}', b'{"machine":1,"shift":1}', b'{"shift":1}']
    rows = pa.record_batch(TRANSFORM.decode_labels(pa.record_batch({"value": pa.array(bodies, pa.binary())})))
    values = pa.record_batch(TRANSFORM.label_values(pa.record_batch({"label": rows["label"]})))
    assert values["value"].to_pylist() == [True, None, None]
    assert rows["reason"].to_pylist() == [None, None, "missing"]


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (pa.record_batch({"body": pa.array([b""])}), 'no column "value"'),
        (pa.record_batch({"value": pa.array([1])}), "must be binary"),
    ],
)
def test_a_batch_of_another_shape_is_refused(batch: pa.RecordBatch, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TRANSFORM.decode_events(batch)
