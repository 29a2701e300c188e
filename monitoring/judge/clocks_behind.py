"""Hosts whose events come later than those of the other hosts: their clocks are behind, or they send late.

A clock that is ahead shows by itself: events come before they have happened. One that is behind looks like a long way
to the broker, and only the other hosts tell the two apart. Distances are measured from the others' median in their MAD,
which one wrong host cannot move. (MAD: the median of the distances from the median; 1.4826 of it are the standard
deviation of a normal distribution.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from contract import metrics
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StageInputs
from monitoring.judge.wording import in_words, printable

FEWEST_OTHERS = 3
DEVIATIONS = 6.0
MAD_TO_DEVIATION = 1.4826


def clocks_behind(look: StageInputs) -> Iterator[Reading]:
    """For each host by how much it stands apart from the others, or 0."""
    offsets_s = {
        sample.labels["host"]: sample.value
        for sample in look.now.find(metrics.CLOCK_OFFSET_SECONDS, pipeline=look.pipeline.name)
    }
    apart_s = behind_by(offsets_s)
    for host in sorted(offsets_s):
        by_s = apart_s.get(host, 0.0)
        text = f"the events of {printable(host)} come {in_words(by_s)} later than those of other hosts"
        yield Reading(by_s, f"{text}: its clock is behind, or it sends late", host)


def behind_by(offsets_s: Mapping[str, float], tolerance_s: float = 0.0) -> dict[str, float]:
    """Host -> by how much its smallest delay is above the median of the other hosts', where it stands apart."""
    found = {}
    for host, offset_s in offsets_s.items():
        others = [other for name, other in offsets_s.items() if name != host]
        if len(others) < FEWEST_OTHERS:
            continue
        middle = median(others)
        spread = MAD_TO_DEVIATION * median(abs(other - middle) for other in others)
        if offset_s - middle > max(tolerance_s, DEVIATIONS * spread):
            found[host] = offset_s - middle
    return found
