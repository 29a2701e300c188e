"""How far the mirror has come with one partition: the arithmetic of the watcher."""

from __future__ import annotations

import json
from collections import deque

Partition = tuple[str, int]

MIRROR_OFFSETS = "mm2-offsets.onprem.internal"
"""The topic in the cloud in which MirrorMaker keeps how far it has come."""

KEPT = 3600
"""Ends that are remembered, one a second; with more than that on the way the level waits for the oldest of them."""


class MirrorLevel:
    """Remembers which on-prem ends were seen when, and so up to which moment everything has been mirrored."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self._rests = False
        self.began_ms: int | None = None
        """The first moment that was looked at."""
        self.caught_up_to_ms: int | None = None
        """Never goes back."""

    def see(self, moment_ms: int, end: int) -> None:
        """Every record stamped before the moment lies before this end; an end that stays is as good as new."""
        self.began_ms = self.began_ms or moment_ms
        self._rests = bool(self._seen) and self._seen[-1][1] == end
        if self._rests:
            self._seen.pop()
        self._seen.append((moment_ms, end))

    def rise(self, mirrored: int) -> int | None:
        """The last moment whose end the mirror has reached."""
        while self._seen and self._seen[0][1] <= mirrored:
            moment_ms, end = self._seen.popleft()
            self.caught_up_to_ms = max(moment_ms, self.caught_up_to_ms or 0)
            if not self._seen:
                self._seen.append((moment_ms, end))
                break
        return self.caught_up_to_ms

    def forget_ends(self) -> None:
        """The topic was made anew: the ends seen before say nothing of it."""
        self._seen.clear()

    def rests(self) -> bool:
        """Whether the end has been the same for two looks: only then is it worth asking what lies before it."""
        return self._rests


def mirrored_partition(key: bytes) -> Partition | None:
    """The partition that a record of MirrorMaker's offsets topic is about; None for those of other connectors.

    Raises:
        ValueError: the key does not read.
    """
    match _json(key):
        case ["MirrorSourceConnector", {"topic": str(topic), "partition": int(number)}]:
            return topic, number
    return None


def parse_mirrored(key: bytes, value: bytes | None) -> tuple[Partition, int | None] | None:
    """A record of MirrorMaker's offsets topic: the partition, and the offset after the last one mirrored.

    None for records of other connectors; the offset is None where it was forgotten. Key:
    `["MirrorSourceConnector", {"cluster": ..., "partition": n, "topic": ...}]`, value `{"offset": n}`.

    Raises:
        ValueError: a record of this connector that does not read.
    """
    partition = mirrored_partition(key)
    return partition and (partition, None if value is None else _offset_after(_json(value)))


def _offset_after(value: object) -> int:
    match value:
        case {"offset": int(offset)} if 0 <= offset < 2**63:
            return offset + 1
    raise ValueError("it states no offset")


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deep") from None
