"""First and last offsets of many partitions in one request each."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from contract.layout import Kafka
from streaming.kafka.retriable import is_retriable

TIMEOUT_S = 5.0
Partition = tuple[str, int]


class Ends:
    """Asks one cluster.

    Ends are those of all records, records of open transactions included: what was stamped before the question
    lies before its answer. A partition that has no answer yet, as while its leader changes, is left out.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._settings: dict[str, Any] = kafka.client(socket_timeout_ms=10_000)
        self._admin = AdminClient(self._settings)

    def partitions(self, topics: Iterable[str]) -> list[Partition]:
        """Every partition of those topics that exist.

        Raises:
            KafkaException: the cluster is away.
        """
        known = self._admin.list_topics(timeout=TIMEOUT_S).topics
        return [(topic, number) for topic in topics if topic in known for number in sorted(known[topic].partitions)]

    def last(self, partitions: list[Partition]) -> dict[Partition, int]:
        """The offset after each partition's last record; partitions that the cluster lacks are left out."""
        return self._ask(partitions, OffsetSpec.latest())

    def first(self, partitions: list[Partition]) -> dict[Partition, int]:
        """The offset of each partition's first record that is still held."""
        return self._ask(partitions, OffsetSpec.earliest())

    def _ask(self, partitions: list[Partition], spec: OffsetSpec) -> dict[Partition, int]:
        known = set(self.partitions({topic for topic, _ in partitions}))
        wanted = {TopicPartition(*partition): spec for partition in partitions if partition in known}
        if not wanted:
            return {}
        level = IsolationLevel.READ_UNCOMMITTED
        found = self._admin.list_offsets(wanted, isolation_level=level, request_timeout=TIMEOUT_S)
        answers = {(of.topic, of.partition): _offset(future) for of, future in found.items()}
        if None in answers.values():
            # a client that has known a topic finds no leader when it was made anew, and then answers for no topic
            self._admin = AdminClient(self._settings)
        return {partition: offset for partition, offset in answers.items() if offset is not None}


def _offset(answer: Future[Any]) -> int | None:
    """None where the broker cannot say it yet."""
    try:
        return int(answer.result(2 * TIMEOUT_S).offset)
    except KafkaException as error:
        if is_retriable(error):
            return None
        raise
