"""Thresholds by a fixed sequence of tests: Learn then Test (Angelopoulos, Bates, Candes, Jordan, Lei, 2021).

Everything is chosen by compare rows: the grid, and where the walk begins. From there it goes from strict to loose over
calibrate rows while each threshold passes; the last that passed is the answer. Whatever passed holds at once with the
confidence of a single test. A rate among a whole class only falls with a stricter threshold, so those hold as well.

Source: arXiv 2110.01052.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from training.evaluation.holdout_metrics import Floats
from training.scorecard.bounds import least_support, p_value
from training.scorecard.side_rows import Base, SideRows, Unit, counts

GRID_FACTOR: Final = 1.05
GRID_STEP: Final = 0.005
"""A threshold for every 1.05 times as many rows, and for every half percent of the rows: some 300 in all."""


@dataclass(frozen=True)
class RateBound:
    """A rate that must not be above its bound."""

    base: Base
    bound: float


@dataclass(frozen=True)
class Walk:
    """`grid`: thresholds from strict to loose, on the scores of `SideRows`. `start` and `end` are places in it.

    `end` is None where the first threshold already failed, `start` where the grid is empty. Whatever lies from
    `strictest` to `end` holds. `gave_way`: no threshold is left, since the other side decides there.
    """

    grid: Floats
    start: int | None
    end: int | None
    strictest: int = 0
    gave_way: bool = False

    @property
    def threshold(self) -> float | None:
        return None if self.end is None else float(self.grid[self.end])

    def stricter_than(self, limit: float) -> Walk:
        """The walk back to the loosest threshold that holds and is above `limit`."""
        if self.end is None or self.grid[self.end] > limit:
            return self
        above = int((self.grid > limit).sum())
        if above <= self.strictest:
            return replace(self, end=None, gave_way=True)
        return replace(self, end=above - 1)


def walked(
    compare: SideRows, calibrate: SideRows, bounds: Sequence[RateBound], units: Sequence[Unit], level: float
) -> Walk:
    """The walk for the bounds of one side; all of them hold at the threshold, for each of the units.

    level: one minus the confidence.
    """
    grid = threshold_grid(compare, _least_trusted(bounds, level))
    if not len(grid):
        return Walk(grid, None, None)
    start = int(np.argmin(_p_of_all(compare, grid, bounds, units)))
    passes = _p_of_all(calibrate, grid[start:], bounds, units) <= level
    steps = len(passes) if passes.all() else int(np.argmin(passes))
    only_falls = all(each.base == "class" for each in bounds)
    return Walk(grid, start, start + steps - 1 if steps else None, 0 if only_falls else start)


def threshold_grid(rows: SideRows, least: int) -> Floats:
    """Scores of the k-th most trusted rows, from strict to loose, each once."""
    score = np.sort(rows.score)[::-1]
    count = len(score)
    if count < least:
        return score[:0]
    steps = int(np.log(count / least) / np.log(GRID_FACTOR)) + 1
    geometric = least * GRID_FACTOR ** np.arange(steps)
    even = np.arange(GRID_STEP, 1 + GRID_STEP, GRID_STEP) * count
    places = np.concatenate([geometric, even[even >= least], [count]])
    return np.unique(score[np.clip(np.round(places), 1, count).astype(np.int64) - 1])[::-1]


def _least_trusted(bounds: Sequence[RateBound], level: float) -> int:
    """With fewer trusted rows none of these bounds can be shown."""
    return max((least_support(each.bound, level) for each in bounds if each.base == "trusted"), default=1)


def _p_of_all(rows: SideRows, grid: Floats, bounds: Sequence[RateBound], units: Sequence[Unit]) -> Floats:
    """The largest p-value of all bounds and units: all must hold, so the weakest evidence counts."""
    tests = [p_value(counts(rows, grid, each.base, unit), each.bound) for each in bounds for unit in units]
    largest: Floats = np.max(tests, axis=0)
    return largest
