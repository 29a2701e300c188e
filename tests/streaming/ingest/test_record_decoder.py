"""What Spark's workers make of Kafka records: every record in one table, sensitive fields in none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contract.pipeline import Pipeline
from contract.records import OUTSIDE, TIMESTAMP
from contract.timestamps import to_us
from streaming.ingest.batch_summary import Summary
from streaming.ingest.clock_offsets import ClockOffsets
from streaming.ingest.delay_bins import median_us
from streaming.ingest.record_decoder import SUMMARY, RecordDecoder, decoder_of
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL, changed

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def decoded(pipeline: Pipeline, topic: str, *values: bytes | None, imported: bool = False) -> list[dict[str, Any]]:
    """The records that come out, without the summary."""
    return [row for row in everything(pipeline, topic, *values, imported=imported) if row["table"] != SUMMARY]


def everything(pipeline: Pipeline, topic: str, *values: bytes | None, imported: bool = False) -> list[dict[str, Any]]:
    decoding = decoder_of(pipeline, compile_pipeline(pipeline).spec)
    return list(rows_of(decoding, [kafka_records(topic, values, imported)]))


def kafka_records(topic: str, values: Sequence[bytes | None], imported: bool = False) -> pa.RecordBatch:
    """The decoder's input."""
    count = len(values)
    return pa.record_batch(
        {
            "topic": pa.array([topic] * count, pa.string()),
            "partition": pa.array([0] * count, pa.int32()),
            "offset": pa.array(range(count), pa.int64()),
            "kafka_time": pa.array([NOW] * count, TIMESTAMP),
            "stated": pa.array([str(to_us(NOW) // 1000).encode() if imported else None] * count, pa.binary()),
            "kafka_key": pa.array([b"k"] * count, pa.binary()),
            "value": pa.array(values, pa.binary()),
        }
    )


def question(pipeline: Pipeline, **more: object) -> dict[str, object]:
    """A record with every field of the pipeline, in its type."""
    samples = {"string": "a", "int": 1, "double": 0.5, "boolean": True, "timestamp": "2026-03-02T12:00:00Z"}
    return {field.name: samples[field.type.value] for field in pipeline.events.fields} | more


def as_bytes(record: object) -> bytes:
    return json.dumps(record).encode()


def test_a_good_record_keeps_its_position_bytes_and_fields() -> None:
    pipeline = load(MINIMAL)
    value = as_bytes(question(pipeline))
    (row,) = decoded(pipeline, pipeline.events.topic, value)
    assert (row["table"], row["topic"], row["offset"], row["append_time"]) == ("events", pipeline.events.topic, 0, NOW)
    assert row["events"]["value"] == value
    assert set(row["events"]["event"]) == {field.name for field in pipeline.events.fields}
    assert row["labels"] is None


def test_broken_records_become_dead_letters_with_reason_and_bytes() -> None:
    pipeline = load(MINIMAL)
    missing = question(pipeline)
    del missing[pipeline.events.id]
    values = (b"{", b"[]", None, as_bytes(missing))
    rows = decoded(pipeline, pipeline.events.topic, *values)
    assert {row["table"] for row in rows} == {"dead_letters"}
    reasons = [row["dead_letters"]["reason"] for row in rows]
    assert reasons == ["not_json", "not_an_object", "not_json", "missing"]
    assert [row["dead_letters"]["value"] for row in rows] == [b"{", b"[]", None, values[3]]
    assert rows[3]["dead_letters"]["field"] == pipeline.events.id


def test_good_and_broken_records_of_one_batch_are_told_apart() -> None:
    pipeline = load(MINIMAL)
    rows = decoded(pipeline, pipeline.events.topic, b"{", as_bytes(question(pipeline)), b"}")
    assert {(row["offset"], row["table"]) for row in rows} == {(0, "dead_letters"), (1, "events"), (2, "dead_letters")}


def test_a_question_of_the_year_9999_is_outside() -> None:
    pipeline = load(MINIMAL)
    far = question(pipeline, **{pipeline.events.time: "9999-12-31T23:59:59Z"})
    (row,) = decoded(pipeline, pipeline.events.topic, as_bytes(far))
    assert row["events"]["bucket"] == OUTSIDE


def test_facts_land_as_they_are() -> None:
    pipeline = load(Path("examples/flights/pipeline.toml"))
    (row,) = decoded(pipeline, "flights.departed", b"\x00 anything")
    assert (row["table"], row["facts"]["value"], row["facts"]["kafka_key"]) == ("facts", b"\x00 anything", b"k")


def test_sensitive_fields_come_out_nowhere(tmp_path: Path) -> None:
    pipeline = changed(tmp_path, ("[events.fields]", '[events.fields]\nsecret = { type = "string", sensitive = true }'))
    good = as_bytes(question(pipeline, secret="s3cr3t"))
    broken = as_bytes(question(pipeline, secret="s3cr3t", **{pipeline.events.time: "s3cr3t"}))
    rows = decoded(pipeline, pipeline.events.topic, good, broken, b'{"secret": "s3cr3t"')
    assert len(rows) == 3
    assert "s3cr3t" not in repr(rows)
    letter = next(row for row in rows if row["offset"] == 1)["dead_letters"]
    assert (letter["sha256"], letter["bytes"]) == (hashlib.sha256(broken).hexdigest(), len(broken))
    assert (letter["value"], letter["field"]) == (None, pipeline.events.time)
    assert letter["detail"] == "is not RFC 3339 with an offset"


def test_a_summary_counts_and_measures_in_the_same_pass() -> None:
    pipeline = load(Path("examples/flights/pipeline.toml"))
    early = as_bytes(question(pipeline, host="ahead", asked_at="2026-03-02T12:00:02Z"))
    late = as_bytes(question(pipeline, host="well", asked_at="2026-03-02T11:59:59.9Z"))
    summary = summed(everything(pipeline, pipeline.events.topic, early, late, late, b"{"))
    assert summary.records == {"events": 3, "dead_letters": 1}
    assert summary.delays_us == {"ahead": -2_000_000, "well": 100_000}
    medians = {host: median_us({int(n): c for n, c in of.items()}) for host, of in summary.delay_counts.items()}
    assert medians == {"ahead": pytest.approx(-2_000_000, rel=0.05), "well": pytest.approx(100_000, rel=0.05)}
    assert {host: sum(of.values()) for host, of in summary.delay_counts.items()} == {"ahead": 1, "well": 2}


def test_a_summary_counts_dead_letters_by_topic_and_reason_and_questions_out_of_bounds() -> None:
    pipeline = load(MINIMAL)
    events, labels = pipeline.events.topic, pipeline.label.topic
    year_1970 = as_bytes(question(pipeline, **{pipeline.events.time: "1970-01-21T00:00:00Z"}))
    values = (as_bytes(question(pipeline)), year_1970, b"{", b"[]", None, as_bytes({}))
    rows = everything(pipeline, events, *values) + everything(pipeline, labels, b"[]")
    summary = summed(rows)
    assert summary.dead_letters == {
        events: {"not_json": 2, "not_an_object": 1, "missing": 1},
        labels: {"not_an_object": 1},
    }
    assert (summary.quarantined.total(), summary.records["events"]) == (1, 2)


def test_imported_records_take_no_part_in_clock_estimates() -> None:
    pipeline = load(Path("examples/flights/pipeline.toml"))
    summary = summed(everything(pipeline, pipeline.events.topic, as_bytes(question(pipeline)), imported=True))
    assert (summary.records, summary.delays_us, summary.oldest_us) == ({"events": 1}, {}, None)
    assert summary.imported == 1
    assert Summary.of([summary.to_json(), summary.to_json()]).imported == 2
    assert summed(everything(pipeline, pipeline.events.topic, as_bytes(question(pipeline)))).imported == 0


def test_a_task_with_more_than_the_driver_takes_says_so_and_reads_to_the_end() -> None:
    pipeline = load(MINIMAL)
    decoding = decoder_of(pipeline, compile_pipeline(pipeline).spec)
    records = kafka_records(pipeline.events.topic, [as_bytes(question(pipeline))] * 10)
    first = summed(list(rows_of(decoding, [records])))
    input_ = iter([records] * 3)
    rows = list(rows_of(replace(decoding, most_bytes=first.bytes), input_))
    assert next(input_, None) is None
    assert (summed(rows).is_whole, summed(rows).records["events"]) == (False, 20)
    assert first.is_whole
    assert summed(list(rows_of(decoding, [records] * 3))).records["events"] == 30


def rows_of(decoding: RecordDecoder, batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    return (row for part in decoding(iter(batches)) for row in part.to_pylist())


def test_a_sum_is_whole_when_every_part_is() -> None:
    whole, cut = Summary(), Summary(is_whole=False)
    assert Summary.of([whole.to_json(), whole.to_json()]).is_whole
    assert not Summary.of([cut.to_json(), whole.to_json()]).is_whole


def summed(rows: list[dict[str, Any]]) -> Summary:
    return Summary.of(row[SUMMARY] for row in rows if row["table"] == SUMMARY)


def test_a_hosts_offset_is_its_smallest_delay_of_the_last_minutes() -> None:
    clocks = ClockOffsets("test_clock_offsets")
    clocks.add({"a": 50, "b": -10}, {}, {}, now_s=0)
    clocks.add({"a": 20}, {}, {}, now_s=60)
    assert clocks.smallest() == {"b": -10, "a": 20}
    clocks.add({"a": 30}, {}, {}, now_s=timedelta(seconds=130).total_seconds())
    assert clocks.smallest() == {"a": 20}


def test_an_absurd_time_says_nothing_of_a_hosts_clock_unless_it_sends_nothing_else() -> None:
    clocks = ClockOffsets("test_clock_offsets")
    clocks.add({"well": 50}, {"well": [-(10**15), 40], "once": [-(10**15), 1], "wrong": [-9 * 10**12, 2]}, {}, now_s=0)
    assert clocks.smallest() == {"well": 50}
    clocks.add({}, {"wrong": [-8 * 10**12, 1]}, {}, now_s=1)
    assert clocks.smallest() == {"wrong": -8 * 10**12, "well": 50}


def test_quarantined_events_are_measured_apart() -> None:
    pipeline = load(Path("examples/flights/pipeline.toml"))
    times = ("2036-03-02T12:00:00Z", "2037-03-02T12:00:00Z", "1999-03-02T12:00:00Z", "2026-03-02T12:00:02Z")
    events = [as_bytes(question(pipeline, host="a", asked_at=time)) for time in times]
    behind = as_bytes(question(pipeline, host="b", asked_at="2025-03-02T12:00:00Z"))
    summary = summed(everything(pipeline, pipeline.events.topic, *events, behind))
    assert summary.delays_us == {"a": -2_000_000}
    ten_years_us, a_year_us = 3653 * 86_400_000_000, 365 * 86_400_000_000
    assert summary.far_delays_us == {"a": [-ten_years_us, 3], "b": [a_year_us, 1]}
