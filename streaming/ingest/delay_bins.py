"""Delays counted in bins that grow with the delay, so that counts of many batches add up and still give a median.

A bin's bounds are 10 % apart, hence its middle is within 5 % of every delay in it. Below a millisecond all is one bin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

GROWTH: Final = 1.1
SMALLEST_US: Final = 1000.0


def bin_of(delay_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The bin of each delay: 0 around 0, negative where the event comes before it has happened."""
    distance = np.maximum(np.abs(delay_us.astype(np.float64)) / SMALLEST_US, 1.0)
    number = np.floor(np.log(distance) / math.log(GROWTH)).astype(np.int64) + 1
    return np.where(np.abs(delay_us) < SMALLEST_US, 0, np.sign(delay_us) * number)


def delay_us_of(number: int) -> float:
    """The middle of a bin."""
    if number == 0:
        return 0.0
    return math.copysign(SMALLEST_US * GROWTH ** (abs(number) - 0.5), number)


def median_us(counts: Mapping[int, int]) -> float:
    """The median of what was counted, at least one event."""
    half, below = sum(counts.values()) / 2, 0
    for number, count in sorted(counts.items()):
        below += count
        if below >= half:
            return delay_us_of(number)
    raise ValueError("a median needs at least one event")
