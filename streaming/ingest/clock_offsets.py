"""How far the producing hosts' clocks seem off, over the last minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import timedelta

from contract.metrics import CLOCK_OFFSET_SECONDS

KEPT = timedelta(minutes=3)
MOST_HOSTS = 1000


class ClockOffsets:
    """The smallest (append time - event time) of each host: below zero, its clock is ahead of the broker's."""

    def __init__(self, pipeline: str) -> None:
        self._pipeline = pipeline
        self._batches: deque[tuple[float, Mapping[str, int]]] = deque()
        self._shown: set[str] = set()

    def add(self, delays_us: Mapping[str, int], now_s: float) -> None:
        """Take a batch's smallest delays, and show each host's smallest of the last minutes."""
        self._batches.append((now_s, delays_us))
        while self._batches[0][0] < now_s - KEPT.total_seconds():
            self._batches.popleft()
        self._show(self.smallest())

    def smallest(self) -> dict[str, int]:
        """Host -> its smallest delay in microseconds; of very many hosts, those whose clocks are furthest ahead."""
        found: dict[str, int] = {}
        for _, delays_us in self._batches:
            for host, delay_us in delays_us.items():
                found[host] = min(delay_us, found.get(host, delay_us))
        return dict(sorted(found.items(), key=lambda item: item[1])[:MOST_HOSTS])

    def _show(self, delays_us: Mapping[str, int]) -> None:
        for host in self._shown - delays_us.keys():
            CLOCK_OFFSET_SECONDS.remove(self._pipeline, host)
        for host, delay_us in delays_us.items():
            CLOCK_OFFSET_SECONDS.labels(pipeline=self._pipeline, host=host).set(delay_us / 1e6)
        self._shown = set(delays_us)
