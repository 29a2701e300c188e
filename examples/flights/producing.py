"""Flight records as Kafka records on the on-prem topics."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaError, Message, Producer
from flights_clock import Clock
from flights_records import TIMES, Record

from contract.layout import Kafka
from contract.messages.codec import encode
from contract.messages.imports import ImportNotice
from contract.metrics import REPLAY_PRODUCED
from contract.pipeline import Pipeline
from contract.timestamps import rfc3339
from contract.topics import APPEND_TIME_HEADER, IMPORTS_TOPIC, MAX_RECORD_BYTES

Headers = list[tuple[str, str | bytes | None]]


class Producing:
    """Produces idempotently; `settle` waits until everything handed over is on the broker.

    Raises:
        RuntimeError: from `settle`, when the broker refused a record; it names the first reason.
    """

    def __init__(self, kafka: Kafka, pipeline: Pipeline, clock: Clock) -> None:
        settings = kafka.client(enable_idempotence=True, linger_ms=5, compression_type="lz4")
        settings |= {"message.max.bytes": MAX_RECORD_BYTES, "delivery.report.only.error": True}
        self._producer = Producer(settings)
        self._clock = clock
        self._refused: list[str] = []
        self.topics = {"asked": pipeline.events.topic, "arrived": pipeline.label.topic}
        self.topics |= {"departed": pipeline.facts[0]} if pipeline.facts else {}

    def body(self, record: Record) -> bytes:
        """The record's JSON, its times translated to now."""
        fields: dict[str, Any] = dict(record.fields)
        for name in TIMES:
            if name in fields:
                fields[name] = rfc3339(datetime.fromtimestamp(self._clock.real(fields[name]), UTC))
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()

    def produce(self, record: Record, body: bytes, imported: bool) -> None:
        """Hand a record over; an imported one states the moment at which it would have been appended."""
        if record.kind not in self.topics:
            return
        stamp = str(int(self._clock.real(record.moment) * 1000)).encode()  # not after the broker's own
        headers: Headers = [(APPEND_TIME_HEADER, stamp)] if imported else []
        topic = self.topics[record.kind]
        self._hand_over(topic, record.key.encode(), body, headers)
        REPLAY_PRODUCED.labels(topic=topic).inc()

    def announce_import(self, is_open: bool) -> None:
        """Say that an import of every topic begins or has ended: while one is open no bucket closes."""
        for topic in self.topics.values():
            notice = ImportNotice(topic=topic, open=is_open, at_ms=round(time.time() * 1000), by="replay")
            self._hand_over(IMPORTS_TOPIC, notice.key, encode(notice), [])
        self.settle()

    def settle(self) -> None:
        while self._producer.flush(1.0):
            if self._refused:
                break
        if self._refused:
            raise RuntimeError(f"the on-prem broker refused {len(self._refused)} records, first: {self._refused[0]}")

    def _hand_over(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers, on_delivery=self._not_delivered)
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def _not_delivered(self, error: KafkaError, message: Message) -> None:
        self._refused.append(f"{message.topic()}: {error}")
