"""How far a pipeline's tables have come: the watcher's updates and the hot query's commits, put together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from contract.messages.progress import LossNotice, ProgressUpdate, loss_of, partition_of
from streaming.progress.query_checkpoint import Offsets

STALE_S = 15.0
KEPT = 900
"""Updates of a partition that are kept, one a second: a batch that takes longer waits for a newer one."""

Partition = tuple[str, int]


class ProgressUpdates:
    """The watcher's last updates of every partition, shared by all pipelines. It is safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_partition: dict[Partition, deque[ProgressUpdate]] = {}
        self._losses: dict[str, LossNotice] = {}

    def add(self, partition: Partition, update: ProgressUpdate) -> None:
        with self._lock:
            self._by_partition.setdefault(partition, deque(maxlen=KEPT)).append(update)

    def lose(self, notice: LossNotice) -> None:
        """Keep what the watcher says of lost records. It says so before the update that counts past them."""
        with self._lock:
            self._losses[notice.id] = notice

    def forget(self, key: bytes) -> None:
        """Drop what the record with this key has said: its topic was deleted on purpose."""
        with self._lock:
            if loss_id := loss_of(key):
                self._losses.pop(loss_id, None)
            elif partition := partition_of(key):
                self._by_partition.pop(partition, None)

    def losses_of(self, topics: Iterable[str]) -> list[LossNotice]:
        wanted = set(topics)
        with self._lock:
            return [notice for notice in self._losses.values() if notice.topic in wanted]

    def of(self, topics: Iterable[str]) -> dict[Partition, list[ProgressUpdate]]:
        wanted = set(topics)
        with self._lock:
            return {of: list(updates) for of, updates in self._by_partition.items() if of[0] in wanted}


class Progress:
    """What a pipeline's tables hold completely. The hot query and the watcher's updates say how far they are."""

    def __init__(self, updates: ProgressUpdates, now_s: Callable[[], float] = time.time) -> None:
        self._updates = updates
        self._now_s = now_s
        self._committed: Offsets = {}
        self._recorded: set[str] = set()

    @property
    def committed(self) -> Offsets:
        """Where the last committed batch ends."""
        return self._committed

    def commit(self, offsets: Offsets) -> None:
        """Everything before these offsets is in its table."""
        self._committed = dict(offsets)

    def unrecorded(self, topics: Iterable[str]) -> list[LossNotice]:
        """What the watcher says was lost and is not written down for this pipeline yet."""
        return [notice for notice in self._updates.losses_of(topics) if notice.id not in self._recorded]

    def recorded(self, notice: LossNotice) -> None:
        self._recorded.add(notice.id)

    def reached(self, partition: Partition) -> int | None:
        """The last moment, in milliseconds, up to which a partition's records are known to be in their table."""
        updates = self._updates.of([partition[0]]).get(partition, [])
        committed = self._committed.get(partition, 0)
        return max((one.caught_up_to_ms for one in updates if one.cloud_offset <= committed), default=None)

    def caught_up_to(self, topics: Iterable[str]) -> datetime | None:
        """The moment T such that every on-prem record of these topics stamped before T is in its table.

        None while nothing is known, when the watcher's updates are older than 15 seconds, and before a loss of these
        topics is written down: what is lost counts as caught up from then on.
        """
        wanted = set(topics)
        known = self._updates.of(wanted)
        if self.unrecorded(wanted):
            return None
        if wanted - {topic for topic, _ in known} or self._unheard_of(wanted, known):
            return None
        reached = [self._reached(partition, updates) for partition, updates in known.items()]
        moments = [moment for moment in reached if moment is not None]
        return datetime.fromtimestamp(min(moments) / 1000, UTC) if moments and len(moments) == len(reached) else None

    def import_open(self, topics: Iterable[str]) -> bool:
        """Whether somebody imports history into one of these topics, or what was imported is not in its table yet.

        Imported records are older than their stamps: a moment that was reached before the import says nothing of them.
        """
        return any(self._imports(partition, updates) for partition, updates in self._updates.of(topics).items())

    def _imports(self, partition: Partition, updates: list[ProgressUpdate]) -> bool:
        opened_ms = max((one.at_ms for one in updates if one.import_open), default=None)
        return opened_ms is not None and (self._reached(partition, updates) or 0) <= opened_ms

    def behind_records(self, topics: Iterable[str]) -> dict[str, int]:
        """Topic -> offsets in the cloud that are not committed yet."""
        behind = dict.fromkeys(topics, 0)
        for partition, last in self._updates.of(behind).items():
            behind[partition[0]] += max(0, last[-1].cloud_offset - self._committed.get(partition, 0))
        return behind

    def _unheard_of(self, wanted: set[str], known: dict[Partition, list[ProgressUpdate]]) -> bool:
        return any(topic in wanted and (topic, number) not in known for topic, number in self._committed)

    def _reached(self, partition: Partition, updates: list[ProgressUpdate]) -> int | None:
        """The newest T whose records the commits cover; None when the last update is not fresh."""
        if updates[-1].at_ms < (self._now_s() - STALE_S) * 1000:
            return None
        committed = self._committed.get(partition, 0)
        return max((one.caught_up_to_ms for one in updates if one.cloud_offset <= committed), default=None)
