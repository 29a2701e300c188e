"""Axes that fit what a chart shows: round numbers, and no more time than there is something to show of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

STEPS: Final = 4
"""Spaces between the lines of an axis."""
ROUND: Final = (1.0, 2.0, 2.5, 5.0)
SHORTEST_S: Final = 120.0
"""What is younger than this is shown on an axis of this length."""


@dataclass(frozen=True)
class Axis:
    """From the lowest line to the highest, `STEPS` equal steps apart."""

    low: float
    high: float


def fitted(
    values: Iterable[float], least_step: float, lowest: float = -math.inf, highest: float = math.inf
) -> Axis | None:
    """The shortest axis of round steps that holds the values and stays within bounds; None without values.

    `least_step`: steps are not smaller, so that chance does not fill the chart.
    """
    inside = [min(max(value, lowest), highest) for value in values if math.isfinite(value)]
    if not inside:
        return None
    for step in _round_steps(least_step):
        low = math.floor(min(inside) / step + 1e-9) * step
        low = max(lowest, min(low, highest - STEPS * step))
        if low + STEPS * step >= max(inside) - 1e-9:
            return Axis(low, low + STEPS * step)
    raise AssertionError("steps grow without end")


def time_axis(moments_s: Iterable[float], now_s: float, longest_s: float) -> Axis:
    """Up to now, from the first moment that there is; at most `longest_s`."""
    first_s = min((moment for moment in moments_s if moment >= now_s - longest_s), default=now_s - longest_s)
    return Axis(min(first_s, now_s - SHORTEST_S), now_s)


def _round_steps(least: float) -> Iterator[float]:
    """1, 2, 2.5 and 5 times the powers of ten, from `least` on."""
    for power in count(math.floor(math.log10(least))):
        yield from (digit * 10.0**power for digit in ROUND if digit * 10.0**power >= least - 1e-12)
