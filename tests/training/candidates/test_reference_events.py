"""Reference events: whatever else a body held, admission can ask the bundle about the question again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.timestamps import to_us
from serving._native import Bundle, compile_bundle
from serving.candidates.admission import event_difference
from streaming.ingest.record_decoder import decoder_of
from streaming.ingest.write_batch import append_arrow, own_records
from streaming.lake.hot_tables import arrow_schema
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from tests.serving.mojo_scoring import Reference
from tests.serving.mojo_zip import LEFT, Model, Split, mojo_zip
from tests.streaming.ingest.test_record_decoder import NOW, kafka_records
from tests.streaming.pipelines import MINIMAL, changed, transform_of
from training.candidates.reference_rows import reference_events

READING = (
    b'"reading":7,"read_at":"2026-03-02T11:59:59.123456Z","machine":-9223372036854775808,"shift":3,'
    b'"temperature":0.30000000000000004,"load":5e-324,"hours_run":9007199254740993,"alarm":false'
)
UNDECLARED = {
    "nothing": b"0",
    "more than a double holds": b"9e9999",
    "5,000 digits": b"9" * 5000,
    "3,000 lists": b"[" * 3000 + b"]" * 3000,
    "a lone surrogate": b'"\\ud800"',
    "a name twice": b'{"a":1,"a":2}',
    "a megabyte": b'"' + b"x" * 2**20 + b'"',
}
MODEL = Model({"f_temperature": None, "f_heat": None}, [Split(0, 0.25, LEFT, -1.0, 1.0)])


def lake_with(folder: Path, pipeline: Pipeline, bodies: list[bytes]) -> tuple[Places, list[dict[str, Any]]]:
    """The events table that these bodies make, and rows that point at its records."""
    places = Places(folder, {"HOTPATH_HDFS": f"file://{folder}"})
    decoding = decoder_of(pipeline, compile_pipeline(pipeline).spec)
    parts = list(decoding(iter([kafka_records(pipeline.events.topic, bodies)])))
    events = own_records(pa.Table.from_batches(parts), "events")
    url = places.table(pipeline.name, "events")
    DeltaTable.create(url, arrow_schema(pipeline, "events"), partition_by=["bucket"])
    append_arrow({url: (events, "bucket")}, ("query", 0))
    return places, events.select(["partition", "offset", "append_time", "bucket", "as_of", "event"]).to_pylist()


def features_of(pipeline: Pipeline, row: dict[str, Any]) -> dict[str, Any]:
    """As the rows job evaluates them."""
    kind = arrow_schema(pipeline, "events").field("event").type
    as_of = pa.array([row["as_of"]], pa.timestamp("us", tz="UTC"))
    batch = pa.record_batch({"event": pa.array([row["event"]], kind), "as_of": as_of})
    found = pa.record_batch(transform_of(pipeline).features(batch)).to_pylist()[0]
    return {name.removeprefix("f_"): value for name, value in found.items()}


def bundle_of(folder: Path, pipeline: Pipeline) -> Bundle:
    types = compile_pipeline(pipeline).feature_types
    features = [
        {"name": name, "type": kind.value, "levels": ["False", "True"] if kind.value == "boolean" else None}
        | {"min": None, "max": None}
        for name, kind in types.items()
    ]
    about = {"format": 1, "version": "m-20261121T021700Z", "pipeline": pipeline.name, "features": features, "files": {}}
    path = str(folder / "m.bundle")
    compile_bundle(mojo_zip(MODEL), compile_pipeline(pipeline).spec, json.dumps(about), path)
    return Bundle(path)


def test_whatever_else_a_body_held_its_event_is_admitted(tmp_path: Path) -> None:
    pipeline = load(MINIMAL)
    bodies = [b"{" + READING + b',"more":' + value + b"}" for value in UNDECLARED.values()]
    places, rows = lake_with(tmp_path, pipeline, bodies)
    assert len(rows) == len(bodies)
    events = reference_events(places, pipeline, rows)
    bundle = bundle_of(tmp_path, pipeline)
    for row in rows:
        features = features_of(pipeline, row)
        probability, positive, _ = Reference(mojo_zip(MODEL)).score([features["temperature"], features["heat"]])
        reference = {"features": features, "probability": probability, "positive": positive}
        reference |= {"event": events[0, row["offset"], to_us(NOW)], "as_of": "2026-03-02T11:59:59.123456Z"}
        written = json.loads(json.dumps(reference, allow_nan=False))
        assert written["event"] == json.loads(b"{" + READING + b"}")
        assert event_difference(bundle, written) is None


def test_an_event_without_a_field_that_it_needs_is_no_reference(tmp_path: Path) -> None:
    places, rows = lake_with(tmp_path, load(MINIMAL), [b"{" + READING + b"}"])
    gained = changed(tmp_path, ("[events.fields]", '[events.fields]\nadded = { type = "string", required = true }'))
    assert len(reference_events(places, load(MINIMAL), rows)) == 1
    assert reference_events(places, gained, rows) == {}


def test_only_the_events_of_the_rows_are_read(tmp_path: Path) -> None:
    places, rows = lake_with(tmp_path, load(MINIMAL), [b"{" + READING + b"}"] * 3)
    assert list(reference_events(places, load(MINIMAL), rows[1:2])) == [(0, 1, to_us(NOW))]
    assert NOW - rows[0]["as_of"] < timedelta(minutes=1)
