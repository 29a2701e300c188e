"""Hosts whose events come later than those of the other hosts: their clocks are behind, or they send late.

A clock that is ahead shows by itself: events come before they have happened. One that is behind looks like a long way
to the broker, and only the other hosts tell the two apart. Distances are measured from the others' median in their MAD,
which one wrong host cannot move. (MAD: the median of the distances from the median; 1.4826 of it are the standard
deviation of a normal distribution.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from statistics import median

from contract import metrics
from contract.pipeline import Pipeline
from monitoring.collect.scrape import Snapshot
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StageInputs
from monitoring.judge.wording import in_words, printable
from training.evaluation.drift import MAD_TO_DEVIATION

FEWEST_OTHERS = 3
DEVIATIONS = 6.0


def clocks_behind(look: StageInputs) -> Iterator[Reading]:
    """For each host by how much it stands apart from the others, or 0."""
    offsets_s = clock_offsets_s(look.now, look.pipeline.name)
    apart_s = behind_by(offsets_s)
    for host in sorted(offsets_s):
        by_s = apart_s.get(host, 0.0)
        text = f"the events of {printable(host)} come {in_words(by_s)} later than those of other hosts"
        yield Reading(by_s, f"{text}: its clock is behind, or it sends late", host)


def show_clocks_behind(now: Snapshot, pipelines: Iterable[Pipeline]) -> None:
    """By how much each host stands apart beyond the pipeline's tolerance, as a metric."""
    found: dict[tuple[str, str], float] = {}
    for pipeline in pipelines:
        offsets_s = clock_offsets_s(now, pipeline.name)
        behind_s = behind_by(offsets_s, pipeline.clock.tolerance.total_seconds())
        found |= {(pipeline.name, host): behind_s.get(host, 0.0) for host in offsets_s}
    metrics.CLOCK_BEHIND_SECONDS.replace(found)


def clock_offsets_s(now: Snapshot, pipeline: str) -> dict[str, float]:
    """By producing host: the smallest (append time - event time) of the last minutes."""
    samples = now.find(metrics.CLOCK_OFFSET_SECONDS, pipeline=pipeline)
    return {sample.labels["host"]: sample.value for sample in samples}


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
