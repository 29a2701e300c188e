"""No record on a topic does harm to those beside it: it lands, or becomes a dead letter with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.pipeline import Pipeline
from contract.records import DEAD_LETTER_REASONS, PREDICTION
from contract.timestamps import END_US, FIRST_US
from streaming.ingest.batch_summary import Summary
from streaming.ingest.record_decoder import SUMMARY, decoder_of, tables_by_topic
from streaming.ingest.write_batch import own_records
from streaming.lake.data_files import by_partition, statistics
from streaming.lake.hot_tables import partition_column
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from tests.streaming.ingest.hostile_records import (
    NOW_US,
    Sent,
    fields_by_topic,
    hostile,
    kafka_batch,
    right_record,
)

FLIGHTS: Pipeline = load(Path("examples/flights/pipeline.toml"))
DECODER = decoder_of(FLIGHTS, compile_pipeline(FLIGHTS).spec)
FIELDS = fields_by_topic(FLIGHTS, PREDICTION)


def decoded(topic: str, sent: list[Sent]) -> pa.Table:
    return pa.Table.from_batches(list(DECODER(iter([kafka_batch(topic, sent)]))))


@pytest.mark.parametrize("topic", FIELDS)
@settings(max_examples=50)
@given(data=st.data())
def test_a_record_harms_nothing_beside_it(topic: str, data: st.DataObject) -> None:
    right = Sent(right_record(FIELDS[topic]))
    drawn = data.draw(st.lists(hostile(FIELDS[topic]), max_size=5))
    records = decoded(topic, [right, *drawn, right])
    records.validate(full=True)
    summary = Summary.of(records[SUMMARY].drop_null().to_pylist())
    own, letters = own_records(records, tables_by_topic(FLIGHTS)[topic]), own_records(records, "dead_letters")
    landed, dead = own["offset"].to_pylist(), letters["offset"].to_pylist()
    assert sorted(landed + dead) == list(range(len(drawn) + 2)), "each once"
    assert {0, len(drawn) + 1} <= set(landed), "what stands before and after lands"
    assert summary.records.total() == len(drawn) + 2
    assert set(letters["reason"].to_pylist()) <= set(DEAD_LETTER_REASONS)
    assert None not in letters["detail"].to_pylist()
    for table in (own, letters):
        check_storable(table)


def check_storable(records: pa.Table) -> None:
    """Every moment lies in the years that all engines have, and the files' statistics can be made."""
    for column in records.schema:
        if pa.types.is_timestamp(column.type):
            moments = records[column.name].cast(pa.int64()).drop_null().to_pylist()
            assert all(FIRST_US <= us < END_US for us in moments), column.name
    assert None not in records["append_time"].to_pylist()
    partition = partition_column("dead_letters" if "reason" in records.schema.names else _table_of(records))
    for _, part in by_partition(records, partition):
        statistics(part)


def _table_of(records: pa.Table) -> str:
    return "events" if "bucket" in records.schema.names else "labels"


def letters_of(topic: str, *sent: Sent) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = own_records(decoded(topic, list(sent)), "dead_letters").to_pylist()
    return rows


@pytest.mark.parametrize("topic", FIELDS)
@pytest.mark.parametrize(
    ("stated", "detail"),
    [
        (b"1772452800", "is 1772452800, and must be milliseconds since 1970: these seem to be seconds"),
        (b"1772452800000000", "these seem to be microseconds"),
        (b"1772452800000000000", "these seem to be nanoseconds"),
        (b"9223372036854775807", "which lies outside the years 1990 to 2099"),
        (b"0", "which lies outside the years 1990 to 2099"),
        (b"", "is no decimal number of milliseconds since 1970"),
        (b"\xff", "is no decimal number of milliseconds since 1970"),
        (b"9" * 5000, "is no decimal number of milliseconds since 1970"),
        (str(NOW_US // 1000 + 1).encode(), "2026-03-02T12:00:00.001Z, which is after the broker's own stamp"),
    ],
)
def test_an_append_time_that_cannot_be_is_a_dead_letter_that_names_the_likely_unit(
    topic: str, stated: bytes, detail: str
) -> None:
    (letter,) = letters_of(topic, Sent(right_record(FIELDS[topic]), stated=stated))
    assert letter["reason"] == "append_time"
    assert detail in letter["detail"]
    assert letter["detail"].startswith("the header hotpath.append_time ")
    assert (letter["append_time"], letter["imported"]) == (letter["kafka_time"], False)


def test_a_stated_append_time_that_can_be_is_honoured() -> None:
    topic = FLIGHTS.events.topic
    records = own_records(decoded(topic, [Sent(right_record(FIELDS[topic]), stated=b"631152000000")]), "events")
    (row,) = records.select(["append_time", "kafka_time", "imported"]).to_pylist()
    assert (row["append_time"].year, row["kafka_time"].year, row["imported"]) == (1990, 2026, True)


@pytest.mark.parametrize(
    ("stamp_us", "detail"),
    [
        (None, "the broker's stamp is missing"),
        (-1000, "the broker's stamp is missing"),
        (
            1_772_452_800_000,
            "the broker's stamp is 1772452800, and must be milliseconds since 1970: these seem to be sec",
        ),
        (253_402_300_799_000_000, "which lies outside the years 1990 to 2099"),
    ],
)
def test_a_stamp_of_the_broker_that_cannot_be_is_a_dead_letter_too(stamp_us: int | None, detail: str) -> None:
    topic = FLIGHTS.label.topic
    (letter,) = letters_of(topic, Sent(right_record(FIELDS[topic]), stamp_us=stamp_us))
    assert letter["reason"] == "append_time"
    assert detail in letter["detail"]
    assert letter["kafka_time"] is None
    assert letter["append_time"].year >= 2026, "when it was read"
