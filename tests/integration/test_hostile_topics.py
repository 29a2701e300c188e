"""The hot query on a real broker and a real Spark: no record, no header and no stamp ends it or delays another."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, Producer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import PREDICTION
from contract.topics import APPEND_TIME_HEADER
from infra.engines import kafka_broker
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import broker_answers
from streaming.ingest.hot_query import HotQuery
from streaming.ingest.record_decoder import decoder_of, tables_by_topic
from streaming.kafka.pipeline_topics import cloud_topics
from streaming.kafka.topic_admin import make_topics
from streaming.lake.delta_tables import opened
from streaming.lake.hot_tables import ensure_tables
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.progress.watermark import Progress, ProgressUpdates
from tests.integration.conftest import free_base
from tests.integration.secured_kafka import running
from tests.integration.spark import spark
from tests.streaming.ingest.hostile_records import Sent, fields_by_topic, hostile, right_record
from tests.streaming.pipelines import changed
from tests.waiting import until

__all__ = ["spark"]
pytestmark = pytest.mark.engines

Headers = list[tuple[str, str | bytes | None]]

PATIENCE_S = 120
RIGHT = "right"
"""The key of records that must land."""


@dataclass
class World:
    """A running hot query, and how many records it has been sent."""

    pipeline: Pipeline
    places: Places
    query: StreamingQuery
    sent: Counter[str] = field(default_factory=Counter)
    """Topic -> records."""
    right: Counter[str] = field(default_factory=Counter)
    """Topic -> records that must land in its table."""

    def send(self, topic: str, *records: Sent) -> None:
        """Produce the records between two right ones."""
        right = Sent(right_record(self.fields[topic]), key=RIGHT.encode())
        refused = produce(self.places, topic, [right, *records, replace(right)])
        self.sent[topic] += 2 + len(records) - len(refused)
        self.right[topic] += 2

    @property
    def fields(self) -> dict[str, dict[str, str]]:
        return fields_by_topic(self.pipeline, PREDICTION)

    def rows(self, table: str, *columns: str) -> list[dict[str, Any]]:
        with opened(self.places.table(self.pipeline.name, table)) as delta:
            rows: list[dict[str, Any]] = delta.to_pyarrow_table(columns=["topic", "offset", *columns]).to_pylist()
            return rows

    def found(self) -> Counter[str]:
        """Topic -> its records in all tables, dead letters included."""
        tables = set(tables_by_topic(self.pipeline).values()) | {"dead_letters"}
        return Counter(row["topic"] for table in tables for row in self.rows(table))

    def until_all_are_found(self, within_s: float = PATIENCE_S) -> None:
        """Wait until each record that was sent is in a table; the query may not end meanwhile."""

        def all_are() -> bool:
            assert self.query.isActive, str(self.query.exception())[:2000]
            return self.found() == self.sent

        until(all_are, within_s, f"all of {self.sent}", every_s=0.5)

    def check(self) -> None:
        self.until_all_are_found()
        for topic, table in tables_by_topic(self.pipeline).items():
            landed = sum(row["topic"] == topic for row in self.rows(table))
            assert landed >= self.right[topic], topic
        letters = self.rows("dead_letters", "partition", "append_time", "reason", "detail")
        assert all(row["detail"] for row in letters)
        positions = [(row["topic"], row["partition"], row["offset"]) for row in letters]
        assert len(positions) == len(set(positions)), "no batch was taken twice"


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The small pipeline with imports and facts, its hot query on a broker of its own and tables in a folder."""
    folder = tmp_path_factory.mktemp("hostile")
    pipeline = changed(folder, ("[lake]", '[clock]\nimports = true\n\n[facts]\ntopics = ["machines.facts"]\n\n[lake]'))
    ports = Ports(free_base(), folder / "ports.json")
    env = {"HOTPATH_DATA": str(folder), "HOTPATH_CLOUD_KAFKA": ports.address("cloud")}
    own = Settings.from_environment({**os.environ, **env})
    places = Places(folder, {**env, "HOTPATH_HDFS": f"file://{folder}"})
    with running(own, kafka_broker.broker(own, ports, "cloud"), folder / "cloud.log"):
        until(lambda: broker_answers(places.cloud), PATIENCE_S, "the broker")
        make_topics(places.cloud, cloud_topics(pipeline))
        ensure_tables(spark, places, pipeline)
        decoding = decoder_of(pipeline, compile_pipeline(pipeline).spec)
        every = timedelta(seconds=1)
        query = HotQuery(spark, places, pipeline, decoding, Progress(ProgressUpdates()), every, print).run()
        yield World(pipeline, places, query)
        query.stop()


def produce(places: Places, topic: str, records: list[Sent]) -> list[KafkaError]:
    """Hand over the records in their order, into one partition; what the broker refused."""
    producer = Producer(places.cloud.client(enable_idempotence=True, message_max_bytes=8_000_000))
    refused: list[KafkaError] = []

    def note(error: KafkaError | None, _: Message) -> None:
        refused.extend([error] if error else [])

    now_ms = int(time.time() * 1000)
    for record in records:
        stamp_ms = now_ms if record.stamp_us is None or record.key == RIGHT.encode() else record.stamp_us // 1000
        headers = [] if record.stated is None else [(APPEND_TIME_HEADER, record.stated)]
        producer.produce(topic, record.value, record.key, 0, note, timestamp=stamp_ms, headers=headers)
    assert producer.flush(30) == 0
    return refused


def seen(fields: dict[str, str]) -> list[Sent]:
    """What has ended the query, or a training run after it, in an earlier version; and more of each kind."""
    right = right_record(fields)
    texts = ('"\\ud800"', "9" * 5000, "9e9999", "[" * 3000 + "]" * 3000, '"' + "x" * 7_000_000 + '"', '"\\u0000"')
    added = [right[:-1] + b',"undeclared":' + text.encode() + b"}" for text in texts]
    replaced = [
        right.replace(sample, text)
        for sample in (b'"a"', b'"2026-03-02T12:00:00Z"', b'{"a":1}', b"0.5")
        for text in (b'"\\ud800"', b'"0001-01-01T00:00:00+14:00"', b"9e9999", b'{"a":9e9999,"b":"\\ud800"}', b"\xff")
    ]
    stated = (
        b"1772452800000000000",
        b"9223372036854775807",
        b"-9223372036854775808",
        b"9" * 5000,
        b"1772452800",
        b"1772452800000",
        b"",
        b"\xff",
    )
    stamps = (253_402_300_799_000_000, 253_402_300_800_000_000, 1_772_452_800_000, 8 * 10**18)
    return [
        *(Sent(value) for value in [*added, *replaced, None, b"", b"\x00"]),
        *(Sent(right, stated=value) for value in stated),
        *(Sent(right, key=key) for key in (None, b"", b"\xff\x00", b"k" * 1_000_000)),
        *(Sent(right, stamp_us=stamp) for stamp in stamps),
    ]


def test_what_has_ended_a_query_before_ends_none(world: World) -> None:
    for topic, fields in world.fields.items():
        world.send(topic, *seen(fields))
    world.check()
    reasons = Counter(row["reason"] for row in world.rows("dead_letters", "reason"))
    assert reasons["append_time"] >= 8 * len(world.fields)
    assert {"not_json", "wrong_type"} <= reasons.keys()


def test_stamps_that_spark_cannot_count_stay_outside(world: World) -> None:
    """Spark's reader of Kafka itself fails at them, before anything of ours: so no topic may take them."""
    topic = world.pipeline.label.topic
    value = right_record(world.fields[topic])
    for stamp_ms in (2**63 - 1, 9_300_000_000_000_000, -(2**62)):
        (refused,) = produce_at(world.places, topic, value, stamp_ms)
        assert refused.code() == KafkaError.INVALID_TIMESTAMP
    world.send(topic)
    world.check()


def produce_at(places: Places, topic: str, value: bytes, stamp_ms: int) -> list[KafkaError]:
    refused: list[KafkaError] = []
    producer = Producer(places.cloud.client())
    producer.produce(topic, value, timestamp=stamp_ms, on_delivery=lambda e, _: refused.extend([e] if e else []))
    assert producer.flush(30) == 0
    return refused


def test_a_header_that_is_there_twice_or_without_a_value(world: World) -> None:
    topic, now_ms = world.pipeline.label.topic, int(time.time() * 1000)
    value, producer = right_record(world.fields[topic]), Producer(world.places.cloud.client())
    last_counts: Headers = [(APPEND_TIME_HEADER, b"x"), (APPEND_TIME_HEADER, b"1772452800000")]
    no_value: Headers = [("", None), (APPEND_TIME_HEADER, None), ("other", b"\xff")]
    for headers in (last_counts, no_value):
        producer.produce(topic, value, partition=1, timestamp=now_ms, headers=headers)
    assert producer.flush(30) == 0
    world.sent[topic] += 2
    world.check()
    own = [row for row in world.rows("labels", "partition", "append_time", "imported") if row["partition"] == 1]
    assert [(row["append_time"].year, row["imported"]) for row in own] == [(2026, True)]
    letters = [row for row in world.rows("dead_letters", "partition", "reason") if row["partition"] == 1]
    assert [row["reason"] for row in letters] == ["append_time"]


@pytest.mark.deep
def test_a_batch_of_the_largest_records_fits_into_the_memory_of_spark(world: World) -> None:
    topic = world.pipeline.events.topic
    large = right_record(world.fields[topic])[:-1] + b',"undeclared":"' + b"x" * 6_000_000 + b'"}'
    for _ in range(10):
        world.send(topic, *[Sent(large)] * 12)
    world.until_all_are_found(within_s=900)


def test_drawn_records_land_or_become_dead_letters(world: World) -> None:
    rounds = count()

    @settings(
        max_examples=3,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def send_and_check(data: st.DataObject) -> None:
        next(rounds)
        for topic, fields in world.fields.items():
            world.send(topic, *data.draw(st.lists(hostile(fields), min_size=8, max_size=12)))
        world.check()

    send_and_check()
    assert next(rounds) >= 3
