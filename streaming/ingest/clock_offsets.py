"""How far the producing hosts' clocks seem off, over the last minutes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

from contract.metrics import CLOCK_OFFSET_SECONDS

KEPT = timedelta(minutes=3)
MOST_HOSTS = 1000
FEWEST_FAR = 3
"""So many quarantined events of a host, and no others, make its clock known."""
FarDelays: TypeAlias = Mapping[str, Sequence[int]]
"""Host -> the delay of its quarantined events that is nearest to 0, and how many there are."""


class ClockOffsets:
    """The smallest (append time - event time) of each host: below zero, its clock is ahead of the broker's.

    Events that are quarantined, since their time is further away than `max_wait`, tell of a host's clock only where it
    sent no others and several of them: a single absurd time is an absurd record. Of these the nearest to 0 counts.
    """

    def __init__(self, pipeline: str) -> None:
        self._pipeline = pipeline
        self._batches: deque[tuple[float, Mapping[str, int], FarDelays]] = deque()
        self._shown: set[str] = set()

    def add(self, delays_us: Mapping[str, int], far_us: FarDelays, now_s: float) -> None:
        """Take a batch's delays, as `Summary` has them, and show each host's of the last minutes."""
        self._batches.append((now_s, delays_us, far_us))
        while self._batches[0][0] < now_s - KEPT.total_seconds():
            self._batches.popleft()
        self._show(self.smallest())

    def smallest(self) -> dict[str, int]:
        """Host -> its delay in microseconds; of very many hosts, those whose clocks are furthest ahead."""
        found: dict[str, int] = {}
        for _, delays_us, _ in self._batches:
            for host, delay_us in delays_us.items():
                found[host] = min(delay_us, found.get(host, delay_us))
        found = self._far() | found
        return dict(sorted(found.items(), key=lambda item: item[1])[:MOST_HOSTS])

    def _far(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        nearest: dict[str, int] = {}
        for _, _, far_us in self._batches:
            for host, (delay_us, count) in far_us.items():
                counts[host] += count
                nearest[host] = min(delay_us, nearest.get(host, delay_us), key=abs)
        return {host: delay_us for host, delay_us in nearest.items() if counts[host] >= FEWEST_FAR}

    def _show(self, delays_us: Mapping[str, int]) -> None:
        for host in self._shown - delays_us.keys():
            CLOCK_OFFSET_SECONDS.remove(self._pipeline, host)
        for host, delay_us in delays_us.items():
            CLOCK_OFFSET_SECONDS.labels(pipeline=self._pipeline, host=host).set(delay_us / 1e6)
        self._shown = set(delays_us)
