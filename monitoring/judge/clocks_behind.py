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
from monitoring.judge.stage import Problem, StageInputs
from monitoring.judge.wording import in_words, printable

FEWEST_OTHERS = 3
DEVIATIONS = 6.0
MAD_TO_DEVIATION = 1.4826
LASTING_S = 200.0
"""Longer than the minutes that an offset is taken over: a single late record makes no problem."""
MOST_EACH = 5
"""Of so many hosts each is a problem of its own; of more, they are one together."""


def clocks_behind(look: StageInputs) -> Iterator[Problem]:
    """Those that have stood apart for some minutes."""
    offsets_s = {
        sample.labels["host"]: sample.value
        for sample in look.now.find(metrics.CLOCK_OFFSET_SECONDS, pipeline=look.pipeline.name)
    }
    apart_s = behind_by(offsets_s, look.pipeline.clock.tolerance.total_seconds())
    lasting = {host: by_s for host, by_s in apart_s.items() if look.unchanged_s(f"behind.{host}", 1.0) >= LASTING_S}
    command = "./hotpath logs streaming"
    if len(lasting) > MOST_EACH:
        host = max(lasting, key=lambda each: lasting[each])
        text = f"the events of {len(lasting)} hosts come late, those of {printable(host)} by {in_words(lasting[host])}"
        yield Problem("clocks_behind", f"{text}: clocks are behind, or they send late", command)
        return
    for host, by_s in sorted(lasting.items()):
        text = f"the events of {printable(host)} come {in_words(by_s)} later than those of other hosts"
        yield Problem(f"clock_behind:{host}", f"{text}: its clock is behind, or it sends late", command)


def behind_by(offsets_s: Mapping[str, float], tolerance_s: float) -> dict[str, float]:
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
