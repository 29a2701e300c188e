"""Rates of counters between two snapshots."""

from __future__ import annotations

from contract.metric_types import Counter, Histogram
from monitoring.collect.scrape import Snapshot


def rate(before: Snapshot | None, now: Snapshot, metric: Counter, **labels: str) -> float | None:
    """Increase a second of the summed counter; None without two looks, or when a process has begun anew."""
    if before is None:
        return None
    return _per_second(now.time_s - before.time_s, before.total(metric, **labels), now.total(metric, **labels))


def mean(before: Snapshot | None, now: Snapshot, metric: Histogram, **labels: str) -> float | None:
    """The mean of what a histogram observed between the looks; None where it observed nothing."""
    if before is None:
        return None
    seconds = now.time_s - before.time_s
    spent = _per_second(seconds, before.observed(metric, **labels), now.observed(metric, **labels))
    count = _per_second(seconds, before.observations(metric, **labels), now.observations(metric, **labels))
    return spent / count if spent is not None and count else None


def _per_second(seconds: float, old: float | None, new: float | None) -> float | None:
    if seconds <= 0 or old is None or new is None or new < old:
        return None
    return (new - old) / seconds
