"""Reads a small topic from its beginning and stays at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from contract.layout import Kafka


class TopicReader:
    """All partitions of a topic, committed records only. A topic that does not exist yet has no records."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        settings = {"group_id": "hotpath-watcher", "enable_auto_commit": False, "isolation_level": "read_committed"}
        self._consumer = Consumer(kafka.client(**settings, enable_partition_eof=True, fetch_wait_max_ms=100))
        self._topic = topic
        self.reached: dict[int, int] = {}
        """Partition -> the offset up to which everything was read, markers included."""

    def news(self) -> Iterator[Message]:
        """The records that have come since the last call, without waiting for more.

        Raises:
            KafkaException: the broker refuses, or is away while the topic's partitions are not known.
        """
        if not self.reached and not self._assign():
            return
        while messages := self._consumer.consume(1000, timeout=0.02):
            yield from (message for message in messages if self._counts(message))

    def records_up_to(self, ends: dict[int, int], timeout_s: float) -> Iterator[Message]:
        """The records up to these ends, waiting for them.

        Raises:
            TimeoutError: they did not come.
        """
        until = time.monotonic() + timeout_s
        yield from self.news()
        while any(self.reached.get(number, 0) < end for number, end in ends.items()):
            if time.monotonic() > until:
                raise TimeoutError(f"{self._topic} could not be read to its end within {timeout_s:.0f} s")
            yield from self.news()

    def close(self) -> None:
        self._consumer.close()

    def _assign(self) -> bool:
        found = self._consumer.list_topics(self._topic, timeout=5).topics[self._topic]
        if found.error is not None:
            return False
        self.reached = dict.fromkeys(found.partitions, 0)
        self._consumer.assign([TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in self.reached])
        return True

    def _counts(self, message: Message) -> bool:
        """Note how far a record, or an end, has brought us; whether it is a record."""
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            if error.retriable() or error.code() in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT):
                return False
            raise KafkaException(error)
        number, offset = message.partition() or 0, message.offset() or 0
        after = offset if error is not None else offset + 1
        self.reached[number] = max(after, self.reached.get(number, 0))
        return error is None


def holds_no_record(kafka: Kafka, topic: str, number: int, start: int, end: int, timeout_s: float) -> bool:
    """Whether between two offsets there is nothing but markers of transactions and records that were aborted."""
    settings = {"group_id": "hotpath-watcher", "enable_auto_commit": False, "isolation_level": "read_committed"}
    consumer = Consumer(kafka.client(**settings, enable_partition_eof=True))
    try:
        consumer.assign([TopicPartition(topic, number, start)])
        message = consumer.poll(timeout_s)
        if message is None or (error := message.error()) is None:
            return False
        return error.code() == KafkaError._PARTITION_EOF and (message.offset() or 0) >= end
    finally:
        consumer.close()
