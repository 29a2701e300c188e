"""What the monitor asks a Kafka cluster: how well its partitions are replicated, and how much was appended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
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


@dataclass
class AppendedBytes:
    """What a local broker appends to its partitions' logs, by the growth of their newest segments.

    Each look counts what was added since the one before: segments that retention removes, and what compaction writes
    anew, count for nothing.
    """

    folder: Path
    _sizes: dict[Path, tuple[str, int]] = field(default_factory=dict)
    """Partition's folder -> its newest segment, and the segment's size when it was looked at."""
    _has_looked: bool = False

    def since_last_look(self) -> int | None:
        """None where there is no such folder."""
        if not self.folder.is_dir():
            return None
        now = _newest_segments(self.folder)
        appended = sum(self._added(partition, *newest) for partition, newest in now.items()) if self._has_looked else 0
        self._sizes, self._has_looked = now, True
        return appended

    def _added(self, partition: Path, segment: str, size: int) -> int:
        before, before_size = self._sizes.get(partition, (segment, 0))
        if before == segment:
            return max(0, size - before_size)
        return max(0, _length(partition / before) - before_size) + size


def _newest_segments(folder: Path) -> dict[Path, tuple[str, int]]:
    """A segment is named by its first offset, in twenty digits."""
    segments: dict[Path, str] = {}
    for file in folder.rglob("*.log"):
        if file.stem.isdigit():
            segments[file.parent] = max(file.name, segments.get(file.parent, ""))
    return {partition: (name, _length(partition / name)) for partition, name in segments.items()}


def _length(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _size(file: Path) -> int:
    try:
        return file.lstat().st_blocks * 512 if file.is_file() else 0
    except FileNotFoundError:
        return 0
