"""How far the producing hosts' clocks seem off, over the last minutes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

from contract.metrics import CLOCK_MEDIAN_OFFSET_SECONDS, CLOCK_OFFSET_SECONDS
from streaming.ingest.delay_bins import median_us

KEPT = timedelta(seconds=90)
"""A clock that is set right is well again so long after."""
MOST_HOSTS = 1000
FEWEST_FAR = 3
"""So many quarantined events of a host, and no others, make its clock known."""
FarDelays: TypeAlias = Mapping[str, Sequence[int]]
"""Host -> the delay of its quarantined events that is nearest to 0, and how many there are."""
DelayCounts: TypeAlias = Mapping[str, Mapping[str, int]]
"""Host -> bin of its delay -> events."""


class ClockOffsets:
    """The smallest (append time - event time) of each host: below zero, its clock is ahead of the broker's.

    Events that are quarantined, since their time is further away than `max_wait`, tell of a host's clock only where it
    sent no others and several of them: a single absurd time is an absurd record. Of these the nearest to 0 counts.
    """

    def __init__(self, pipeline: str) -> None:
        self._pipeline = pipeline
        self._batches: deque[tuple[float, Mapping[str, int], FarDelays, DelayCounts]] = deque()
        self._counts: dict[str, Counter[int]] = {}
        """Host -> bin -> events of all batches that are kept."""
        self._shown: set[str] = set()
        self._with_median: set[str] = set()

    def add(self, delays_us: Mapping[str, int], far_us: FarDelays, counts: DelayCounts, now_s: float) -> None:
        """Take a batch's delays, as `Summary` has them, and show each host's of the last minutes."""
        self._batches.append((now_s, delays_us, far_us, counts))
        self._count(counts, 1)
        while self._batches[0][0] < now_s - KEPT.total_seconds():
            self._count(self._batches.popleft()[3], -1)
        self._show(self.smallest())

    def median(self, host: str) -> float | None:
        """The host's median delay in microseconds; None where it sent nothing but what is quarantined."""
        return median_us(self._counts[host]) if host in self._counts else None

    def _count(self, counts: DelayCounts, sign: int) -> None:
        for host, of_host in counts.items():
            total = self._counts.setdefault(host, Counter())
            for number, count in of_host.items():
                total[int(number)] += sign * count
            if not any(total.values()):
                del self._counts[host]

    def smallest(self) -> dict[str, int]:
        """Host -> its delay in microseconds; of very many hosts, those whose clocks are furthest ahead."""
        found: dict[str, int] = {}
        for _, delays_us, _, _ in self._batches:
            for host, delay_us in delays_us.items():
                found[host] = min(delay_us, found.get(host, delay_us))
        found = self._far() | found
        return dict(sorted(found.items(), key=lambda item: item[1])[:MOST_HOSTS])

    def _far(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        nearest: dict[str, int] = {}
        for _, _, far_us, _ in self._batches:
            for host, (delay_us, count) in far_us.items():
                counts[host] += count
                nearest[host] = min(delay_us, nearest.get(host, delay_us), key=abs)
        return {host: delay_us for host, delay_us in nearest.items() if counts[host] >= FEWEST_FAR}

    def _show(self, delays_us: Mapping[str, int]) -> None:
        medians_us = {host: median for host in delays_us if (median := self.median(host)) is not None}
        for gauge, before, now_us in (
            (CLOCK_OFFSET_SECONDS, self._shown, delays_us),
            (CLOCK_MEDIAN_OFFSET_SECONDS, self._with_median, medians_us),
        ):
            for host in before - now_us.keys():
                gauge.remove(self._pipeline, host)
            for host, delay_us in now_us.items():
                gauge.labels(pipeline=self._pipeline, host=host).set(delay_us / 1e6)
        self._shown, self._with_median = set(delays_us), set(medians_us)
