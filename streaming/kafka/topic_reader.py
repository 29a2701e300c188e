"""Reads a topic from its beginning: once to its end, or staying at its end. For small topics, as compacted ones are."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from contract.layout import Kafka
from contract.metrics import UNREADABLE_RECORDS
from streaming.kafka.retriable import is_retriable

log = logging.getLogger("topic_reader")

AT_ONCE_S = 0.02


class TopicReader:
    """All partitions of a topic. A topic that does not exist yet has no records.

    `committed`: records of open and aborted transactions are left out, and records behind an open one wait for its end.
    Errors that pass by themselves are waited out: their records come later.
    """

    def __init__(self, kafka: Kafka, topic: str, group: str = "hotpath-watcher", *, committed: bool = True) -> None:
        level = "read_committed" if committed else "read_uncommitted"
        self._consumer = Consumer(_settings(kafka, group) | {"fetch.wait.max.ms": 100, "isolation.level": level})
        self._topic = topic
        self.reached: dict[int, int] = {}
        """Partition -> the offset up to which everything was read, markers included."""
        self._at_end: set[int] = set()
        """The partitions whose end has been seen."""

    def news(self, wait_s: float = AT_ONCE_S) -> Iterator[Message]:
        """The records that have come since the last call; waits up to `wait_s` for the first of them.

        Raises:
            KafkaException: the broker refuses, or is away while the topic's partitions are not known.
        """
        if not self.reached and not self._assign():
            return
        while messages := self._consumer.consume(1000, timeout=wait_s):
            yield from (message for message in messages if self._counts(message))
            wait_s = AT_ONCE_S

    def records_up_to(self, ends: Mapping[int, int], timeout_s: float) -> Iterator[Message]:
        """The records up to these ends, waiting for them. A topic that was made anew is read from its beginning.

        Raises:
            TimeoutError: they did not come.
            KafkaException: the broker refuses.
        """
        if any(end < self.reached.get(number, 0) for number, end in ends.items()):
            log.warning("topic was made anew, reading it from its beginning topic=%s", self._topic)
            self.reached = {}
        until = time.monotonic() + timeout_s
        yield from self.news()
        while any(self.reached.get(number, 0) < end for number, end in ends.items()):
            self._fail_after(until, timeout_s)
            yield from self.news()

    def to_end(self, timeout_s: float) -> Iterator[Message]:
        """The records up to the end that the topic has now. A topic that does not exist is waited for, too.

        Raises:
            TimeoutError: they did not come, or there is no such topic.
            KafkaException: the broker refuses, or is away.
        """
        until = time.monotonic() + timeout_s
        yield from self.news(wait_s=0.1)
        while not self.reached or not self._at_end >= self.reached.keys():
            self._fail_after(until, timeout_s)
            if not self.reached:
                time.sleep(0.1)
            yield from self.news(wait_s=0.1)

    def close(self) -> None:
        self._consumer.close()

    def _fail_after(self, until: float, timeout_s: float) -> None:
        if time.monotonic() > until:
            raise TimeoutError(f"{self._topic} could not be read to its end within {timeout_s:g} s")

    def _assign(self) -> bool:
        found = self._consumer.list_topics(self._topic, timeout=5).topics[self._topic]
        if found.error is not None:
            if is_retriable(found.error):
                return False
            raise KafkaException(found.error)
        self.reached, self._at_end = dict.fromkeys(found.partitions, 0), set()
        self._consumer.assign([TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in self.reached])
        return True

    def _counts(self, message: Message) -> bool:
        """Note how far a record, or an end, has brought us; whether it is a record."""
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            if is_retriable(error):
                return False
            raise KafkaException(error)
        number, offset = message.partition() or 0, message.offset() or 0
        after = offset if error is not None else offset + 1
        self.reached[number] = max(after, self.reached.get(number, 0))
        if error is not None:
            self._at_end.add(number)
        return error is None


def pass_over(message: Message, why: object) -> None:
    """Count and log a record of hotpath's own topics that cannot be read; the reader goes on with the next one."""
    UNREADABLE_RECORDS.labels(topic=message.topic()).inc()
    place = message.topic(), message.partition(), message.offset()
    log.warning("record passed over, it cannot be read topic=%s partition=%s offset=%s: %.300s", *place, why)


def holds_no_record(kafka: Kafka, topic: str, number: int, start: int, end: int, timeout_s: float) -> bool:
    """Whether between two offsets there is nothing but markers of transactions and records that were aborted."""
    consumer = Consumer(_settings(kafka, "hotpath-watcher"))
    try:
        consumer.assign([TopicPartition(topic, number, start)])
        message = consumer.poll(timeout_s)
        if message is None or (error := message.error()) is None:
            return False
        return error.code() == KafkaError._PARTITION_EOF and (message.offset() or 0) >= end
    finally:
        consumer.close()


def _settings(kafka: Kafka, group: str) -> dict[str, object]:
    """A consumer of committed records that tells where a partition ends, and begins again where offsets are gone."""
    return kafka.client(
        group_id=group,
        enable_auto_commit=False,
        isolation_level="read_committed",
        enable_partition_eof=True,
        auto_offset_reset="earliest",
    )
