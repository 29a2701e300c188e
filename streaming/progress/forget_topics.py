"""What the cloud keeps of topics besides their records, and how it is forgotten when they are deleted.

The mirror keeps how far it has come with each partition, and would go on there in a topic of the same name; the watcher
keeps what it told of them, and would take the new topic for one that has lost the records of the old one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from contract.layout import Kafka, Places
from contract.messages.codec import Unreadable
from contract.messages.progress import LossNotice, partition_of, read_progress
from contract.topics import PROGRESS_TOPIC
from streaming.kafka.cluster_admin import ClusterAdmin
from streaming.kafka.topic_reader import TopicReader
from streaming.progress.mirror_watermark import MIRROR_OFFSETS, mirrored_partition

READ_WITHIN_S = 15.0
WRITTEN_WITHIN_S = 15.0


class NotForgotten(RuntimeError):
    """The cloud's Kafka does not let it be read or written; the message names it, and what it answered."""


@dataclass(frozen=True)
class Trace:
    """One record that tells of a topic: where it lies, and its key as it was found."""

    topic: str
    partition: int
    key: bytes


@dataclass(frozen=True)
class Traces:
    """All that the cloud's Kafka keeps of some topics."""

    kafka: Kafka
    records: tuple[Trace, ...]

    def forget(self) -> None:
        """Write a record without a value behind each.

        Raises:
            NotForgotten: the broker did not take one.
        """
        refused: list[KafkaError] = []
        producer = Producer(
            self.kafka.client(enable_idempotence=True, message_timeout_ms=round(WRITTEN_WITHIN_S * 1000))
        )
        for trace in self.records:
            producer.produce(
                trace.topic,
                None,
                trace.key,
                partition=trace.partition,
                on_delivery=lambda error, _: refused.append(error) if error else None,
            )
        if producer.flush(WRITTEN_WITHIN_S + 2) or refused:
            why = refused[0] if refused else f"no answer within {WRITTEN_WITHIN_S:g} s"
            raise NotForgotten(f"{self.kafka.bootstrap} did not take it: {why}")


def traces_of(places: Places, topics: Collection[str]) -> Traces:
    """What the mirror and the watcher have written of these topics.

    Raises:
        NotForgotten, TopicsRefused: the cloud's Kafka does not answer, or refuses.
        TimeoutError: it does not send all records.
    """
    kafka = places.cloud
    there = ClusterAdmin(kafka).find([MIRROR_OFFSETS, PROGRESS_TOPIC]) if topics else {}
    try:
        found = [trace for name in there for trace in _traces(kafka, name, topics)]
    except KafkaException as error:
        raise NotForgotten(f"{', '.join(there)} cannot be read at {kafka.bootstrap}: {error}") from error
    return Traces(kafka, tuple(found))


def _traces(kafka: Kafka, topic: str, topics: Collection[str]) -> Iterator[Trace]:
    newest: dict[tuple[int, bytes], Message] = {}
    reader = TopicReader(kafka, topic, "hotpath-reset")
    try:
        for message in reader.to_end(READ_WITHIN_S):
            newest[message.partition() or 0, message.key() or b""] = message
    finally:
        reader.close()
    for (number, key), message in newest.items():
        if (value := message.value()) is not None and _about(topic, key, value) in topics:
            yield Trace(topic, number, key)


def _about(topic: str, key: bytes, value: bytes) -> str | None:
    """The topic that a record tells of; None where it does not read."""
    try:
        if topic == MIRROR_OFFSETS:
            partition = mirrored_partition(key)
        elif (partition := partition_of(key)) is None and isinstance(notice := read_progress(key, value), LossNotice):
            return notice.topic
    except (ValueError, Unreadable):
        return None
    return partition[0] if partition else None
