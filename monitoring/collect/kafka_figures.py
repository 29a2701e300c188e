"""What the monitor asks a Kafka cluster: how well its partitions are replicated, and how much was appended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient

from contract.layout import Kafka
from streaming.kafka.partition_ends import Ends

TIMEOUT_S = 5.0


@dataclass(frozen=True)
class KafkaFigures:
    """`appended`: by topic, the sum of its partitions' ends."""

    under_replicated: int
    appended: dict[str, int]


class KafkaReader:
    """Asks one cluster."""

    def __init__(self, kafka: Kafka) -> None:
        self._admin, self._ends = AdminClient(kafka.client(socket_timeout_ms=10_000)), Ends(kafka)

    def read(self, topics: Collection[str]) -> KafkaFigures:
        """All partitions of the cluster; the ends of these topics.

        Raises:
            KafkaException: the cluster is away.
        """
        known = self._admin.list_topics(timeout=TIMEOUT_S).topics
        partitions = [each for topic in known.values() for each in topic.partitions.values()]
        appended = dict.fromkeys((topic for topic in topics if topic in known), 0)
        for (topic, _), end in self._ends.last(self._ends.partitions(appended)).items():
            appended[topic] += end
        return KafkaFigures(sum(len(each.isrs) < len(each.replicas) for each in partitions), appended)


def log_bytes(folder: Path) -> int | None:
    """The size of a local broker's folder; None where there is none. Files may go while one looks."""
    if not folder.is_dir():
        return None
    return sum(_size(file) for file in folder.rglob("*"))


def _size(file: Path) -> int:
    try:
        return file.lstat().st_blocks * 512 if file.is_file() else 0
    except FileNotFoundError:
        return 0
