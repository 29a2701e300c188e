"""Rates of counters between two snapshots."""

from __future__ import annotations

from monitoring.collect.scrape import Snapshot


def rate(before: Snapshot | None, now: Snapshot, name: str, **labels: str) -> float | None:
    """Increase a second of the summed counter; None without two looks, or when a process has begun anew."""
    if before is None or now.time_s <= before.time_s:
        return None
    old, new = before.total(name, **labels), now.total(name, **labels)
    if old is None or new is None or new < old:
        return None
    return (new - old) / (now.time_s - before.time_s)
