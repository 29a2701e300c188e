"""What the monitor asks a Kafka cluster: how well its partitions are replicated, and how much was appended."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping
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


@dataclass(frozen=True)
class FolderFigures:
    """`size_bytes` on disk; `appended_bytes` since the look before, 0 in the first."""

    size_bytes: int
    appended_bytes: int


@dataclass
class BrokerFolder:
    """A local broker's folder: its size, and what is appended to partitions' logs, by the growth of newest segments.

    Segments that retention removes, and what compaction writes anew, count as nothing appended.
    """

    folder: Path
    _sizes: dict[Path, tuple[Path, int]] = field(default_factory=dict)
    """Partition's folder -> its newest segment, and the segment's size when it was looked at."""
    _has_looked: bool = False

    def look(self) -> FolderFigures | None:
        """Walks the folder once; None where there is none."""
        if not self.folder.is_dir():
            return None
        files = _files(self.folder)
        now = _newest_segments(files)
        added = sum(self._added(partition, *newest, files) for partition, newest in now.items())
        appended = added if self._has_looked else 0
        self._sizes, self._has_looked = now, True
        return FolderFigures(sum(each.st_blocks * 512 for each in files.values()), appended)

    def _added(self, partition: Path, segment: Path, size: int, files: Mapping[Path, os.stat_result]) -> int:
        before, before_size = self._sizes.get(partition, (segment, 0))
        if before == segment:
            return max(0, size - before_size)
        grown = files[before].st_size - before_size if before in files else 0
        return max(0, grown) + size


def _newest_segments(files: Mapping[Path, os.stat_result]) -> dict[Path, tuple[Path, int]]:
    """A segment is named by its first offset, in twenty digits."""
    newest: dict[Path, Path] = {}
    for file in files:
        if file.suffix == ".log" and file.stem.isdigit():
            newest[file.parent] = max(file, newest.get(file.parent, file))
    return {partition: (file, files[file].st_size) for partition, file in newest.items()}


def _files(folder: Path) -> dict[Path, os.stat_result]:
    """Every file below a folder; files may go while one looks."""
    found = {}
    for path in folder.rglob("*"):
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode):
            found[path] = status
    return found
