"""Records of every topic that the hot query reads: right ones, and what becomes of them in hostile or clumsy hands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from contract.pipeline import Pipeline
from contract.records import TIMESTAMP
from contract.timestamps import to_us

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOW_US = to_us(NOW)

SAMPLES = {"string": '"a"', "int": "1", "double": "0.5", "boolean": "true", "timestamp": '"2026-03-02T12:00:00Z"'}
SAMPLES["object"] = '{"a":1}'

DEEP = "[" * 3000 + "]" * 3000
HOSTILE = (
    "null",
    "true",
    "-0.0",
    "01",
    "1e5",
    "9e9999",
    "-9e9999",
    "9223372036854775808",
    "9" * 5000,
    "NaN",
    "Infinity",
    "-Infinity",
    "nul",
    '""',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"\\uFFFD\\uffff"',
    '"\\x"',
    '"' + "x" * 100_000 + '"',
    '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59.999999999-23:59"',
    '"9999-12-31T23:59:59Z"',
    '"0000-01-01T00:00:00Z"',
    '"2026-03-02T12:30:60Z"',
    '"2026-03-02T12:00:00"',
    '"NaT"',
    "253402300800000",
    "-62135596800001",
    "1772452800",
    "1772452800000000000",
    "{}",
    "[]",
    '{"a":{"a":9e9999},"a":"\\ud800"}',
    DEEP,
    '{"a":' * 3000 + "1" + "}" * 3000,
    "[" * 50_000,
)
"""JSON texts of values, and texts that are almost JSON."""

STATED = (
    b"",
    b"x",
    b"\xff",
    b"1772452800",
    b"1772452800000",
    b"1772452800000000",
    b"1772452800000000000",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9" * 5000,
    b"1e3",
    b" 1772452800000",
    b"-1",
    b"0",
    b"NaN",
    "١٧٧٢".encode(),
)
"""Values of the header in which an import states its append time."""

STAMPS_US = (
    None,
    -1000,
    0,
    1_772_452_800_000,
    253_402_300_799_999_000,
    253_402_300_800_000_000,
    2**63 - 1000,
    -(2**63),
)
"""The broker's stamps where a producer sets them, as Spark gives them."""


@dataclass(frozen=True)
class Sent:
    """A Kafka record, as the decoder is given it."""

    value: bytes | None
    key: bytes | None = b"k"
    stated: bytes | None = None
    stamp_us: int | None = NOW_US


def right_record(fields: Mapping[str, str]) -> bytes:
    """A record of fields (name -> type), each with a sample of its type."""
    return _joined([(json.dumps(name), SAMPLES[kind]) for name, kind in fields.items()])


def hostile(fields: Mapping[str, str]) -> st.SearchStrategy[Sent]:
    """A right record in which something has been changed: a value, a name, its bytes, the key, a header, the stamp."""
    values = st.none() | _other_values(fields) | _other_values(fields).flatmap(_other_bytes) | st.binary(max_size=30)
    right = Sent(right_record(fields))
    return st.one_of(
        values.map(lambda value: replace(right, value=value)),
        (st.none() | st.binary() | st.just(b"\xff" * 100_000)).map(lambda key: replace(right, key=key)),
        (st.sampled_from(STATED) | st.binary()).map(lambda stated: replace(right, stated=stated)),
        st.sampled_from(STAMPS_US).map(lambda stamp: replace(right, stamp_us=stamp)),
        st.builds(Sent, values, st.binary(), st.sampled_from(STATED), st.sampled_from(STAMPS_US)),
    )


@st.composite
def _other_values(draw: st.DrawFn, fields: Mapping[str, str]) -> bytes:
    """Some values replaced, some fields left out, doubled, renamed or added."""
    entries = [(json.dumps(name), SAMPLES[kind]) for name, kind in fields.items()]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(entries) - 1)))
        value = draw(st.sampled_from(HOSTILE))
        name = draw(st.sampled_from(('"undeclared"', '"\\ud800"', '""', '"\\u0000"', "x", json.dumps("é" * 1000))))
        change = draw(st.sampled_from(("value", "value", "left out", "twice", "renamed", "added")))
        entries[at : at + 1] = {
            "value": [(entries[at][0], value)] if entries else [],
            "left out": [],
            "twice": entries[at : at + 1] * 2,
            "renamed": [(name, value)],
            "added": [*entries[at : at + 1], (name, value)],
        }[change]
    return _joined(entries)


def _other_bytes(value: bytes) -> st.SearchStrategy[bytes]:
    """Cut off, or with some bytes replaced."""
    places = st.integers(0, len(value))
    return st.builds(lambda at, other, gone: value[:at] + other + value[at + gone :], places, st.binary(), places)


def _joined(entries: Sequence[tuple[str, str]]) -> bytes:
    return ("{" + ",".join(f"{name}:{value}" for name, value in entries) + "}").encode()


def fields_by_topic(pipeline: Pipeline, prediction: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Topic -> its records' fields and types; any record is right on a topic of facts."""
    fields = {
        pipeline.events.topic: {field.name: field.type.value for field in pipeline.events.fields},
        pipeline.label.topic: {field.name: field.type.value for field in pipeline.label.fields},
        pipeline.predictions_topic: dict(prediction),
    }
    return fields | {topic: {"any": "string"} for topic in pipeline.facts}


def kafka_batch(topic: str, sent: Sequence[Sent]) -> pa.RecordBatch:
    """The decoder's input; the offset is the place in the list."""
    count = len(sent)
    columns: dict[str, Any] = {
        "topic": pa.array([topic] * count, pa.string()),
        "partition": pa.array([0] * count, pa.int32()),
        "offset": pa.array(range(count), pa.int64()),
        "kafka_time": pa.array([record.stamp_us for record in sent], pa.int64()).cast(TIMESTAMP),
        "stated": pa.array([record.stated for record in sent], pa.binary()),
        "kafka_key": pa.array([record.key for record in sent], pa.binary()),
        "value": pa.array([record.value for record in sent], pa.binary()),
    }
    return pa.record_batch(columns)
