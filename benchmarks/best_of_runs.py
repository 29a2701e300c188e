"""The time of a fast action: the best of several runs, since on a busy machine the others measure the neighbours."""

from __future__ import annotations

import time
from collections.abc import Callable

RUNS = 7


def best_s(action: Callable[[], object]) -> float:
    """Seconds of wall time."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)
