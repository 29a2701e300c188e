"""What counts say of a rate: a p-value for "the rate is above its bound", bounds, and how much is needed for one.

n and k may be fractions: effective counts of rows that come in groups. With whole numbers the p-value is the
binomial's, P(at most k wrong of n | rate = bound), and the upper bound is that of Clopper and Pearson (1934).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from training.evaluation.holdout_metrics import Floats
from training.scorecard.incomplete_beta import incomplete_beta

_HALVINGS: Final = 50
_MOST_ROWS: Final = 10**12


@dataclass(frozen=True)
class Counts:
    """By threshold: how many count (`n`), and how many of them are wrong (`k`); arrays of one length."""

    n: Floats
    k: Floats


def p_value(counts: Counts, bound: float) -> Floats:
    """By threshold, how likely so few wrong ones are if the rate is `bound`; 1 where nothing counts."""
    right = np.maximum(counts.n - counts.k, 0.0)
    tested = right > 0
    found = incomplete_beta(np.where(tested, right, 1.0), counts.k + 1, np.full_like(right, 1 - bound))
    return np.where(tested, found, 1.0)


def upper_bound(counts: Counts, level: float) -> Floats:
    """By threshold, the rate above which so few wrong ones have a probability of at most `level`; 1 without any."""
    low, high = np.zeros_like(counts.n), np.ones_like(counts.n)
    right = np.maximum(counts.n - counts.k, 0.0)
    tested = right > 0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_too_likely = incomplete_beta(np.where(tested, right, 1.0), counts.k + 1, 1 - middle) > level
        low, high = np.where(is_too_likely, middle, low), np.where(is_too_likely, high, middle)
    return np.where(tested, high, 1.0)


def interval(n: float, k: float, confidence: float) -> tuple[float, float]:
    """(low, high) of a share of which k of n are seen, two-sided; (0, 1) without any."""
    level = (1 - confidence) / 2
    high = upper_bound(Counts(np.array([n]), np.array([k])), level)[0]
    low = 1 - upper_bound(Counts(np.array([n]), np.array([n - k])), level)[0]
    return (float(low), float(high)) if n > 0 else (0.0, 1.0)


def least_support(bound: float, level: float) -> int:
    """How many are needed at least, with nothing wrong among them."""
    return math.ceil(math.log(level) / math.log(1 - bound))


def needed(bound: float, level: float, rate: float) -> int | None:
    """The smallest n that passes if the share `rate` of it is wrong; None where none would: the rate is too high."""
    if rate >= bound:
        return None
    low, high = 0, least_support(bound, level)
    while not _passes(high, bound, level, rate):
        low, high = high, 2 * high
        if high > _MOST_ROWS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _passes(middle, bound, level, rate) else (middle, high)
    return high


def _passes(n: int, bound: float, level: float, rate: float) -> bool:
    counts = Counts(np.array([float(n)]), np.array([n * rate]))
    return bool(p_value(counts, bound)[0] <= level)
