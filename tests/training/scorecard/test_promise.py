"""The promise of a scorecard, in a world whose true risks are known: the bound is broken in at most one card of twenty.

The methods that it replaces break it far more often in the same sets, so that the simulation can tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np
import pytest

from tests.training.scorecard.simulated import (
    HARD_IS_BIG,
    INDEPENDENT,
    TIGHT,
    Setting,
    World,
    rows_of,
    true_risks,
)
from training.scorecard.bounds import least_support
from training.scorecard.side_rows import SideRows, Unit, counts
from training.scorecard.threshold_walk import RateBound, threshold_grid, walked

LEVEL: Final = 0.05
SETS: Final = 300
DEEP_SETS: Final = 2000
CALIBRATE_ROWS: Final = 5000

Method: TypeAlias = Callable[[SideRows, SideRows, float], "float | None"]


def by(*units: Unit) -> Method:
    """The walk, per these units."""
    return lambda compare, calibrate, bound: (
        walked(compare, calibrate, [RateBound("trusted", bound)], units, LEVEL).threshold
    )


def all_rows(compare: SideRows, calibrate: SideRows, bound: float) -> float | None:
    """The same walk, as if each row were an entity of its own."""
    alone = [replace(rows, group=np.arange(len(rows.group))) for rows in (compare, calibrate)]
    return by("answer")(alone[0], alone[1], bound)


def point(compare: SideRows, calibrate: SideRows, bound: float) -> float | None:
    """The loosest threshold whose observed risk is below the bound."""
    grid = threshold_grid(compare, least_support(bound, LEVEL))
    found = counts(calibrate, grid, "trusted", "answer")
    held = np.flatnonzero((found.n > 0) & (found.k <= bound * found.n))
    return float(grid[held[-1]]) if len(held) else None


def broken(setting: Setting, methods: Mapping[str, Method], sets: int) -> dict[str, tuple[float, float]]:
    """By method, the share of sets in which the true risk per answer, and per entity, is above the bound."""
    rng = np.random.default_rng(14)
    bad = {name: np.zeros(2) for name in methods}
    for _ in range(sets):
        compare, calibrate = (rows_of(setting, rows, rng) for rows in (CALIBRATE_ROWS // 2, CALIBRATE_ROWS))
        for name, method in methods.items():
            threshold = method(compare, calibrate, setting.bound)
            if threshold is not None:
                bad[name] += np.array(true_risks(setting, threshold)) > setting.bound
    return {name: (float(count[0]) / sets, float(count[1]) / sets) for name, count in bad.items()}


def allowed(sets: int) -> float:
    """What may be broken, with the one-sided margin of so many sets."""
    return LEVEL + 1.645 * math.sqrt(LEVEL * (1 - LEVEL) / sets)


def check(setting: Setting, sets: int) -> None:
    methods = {"entity": by("entity"), "answer": by("answer"), "both": by("entity", "answer"), "point": point}
    if setting.world is TIGHT:
        methods["all_rows"] = all_rows
    found = broken(setting, methods, sets)
    assert found["entity"][1] <= allowed(sets), found
    assert found["answer"][0] <= allowed(sets), found
    assert max(found["both"]) <= allowed(sets), found
    assert found["point"][0] >= 0.15, found
    if setting.world is TIGHT:
        assert found["all_rows"][0] > allowed(sets), found
    if setting.world is HARD_IS_BIG:
        assert found["entity"][0] > allowed(sets), found


WORLDS: Final = pytest.mark.parametrize(
    "world", [INDEPENDENT, TIGHT, HARD_IS_BIG], ids=["independent", "tight", "hard_is_big"]
)


@WORLDS
def test_the_bound_is_broken_in_at_most_one_card_of_twenty(world: World) -> None:
    check(Setting(world, positives=0.25, side=-1, bound=0.02), SETS)


@pytest.mark.deep
@WORLDS
@pytest.mark.parametrize(("side", "bound"), [(1, 0.05), (-1, 0.02)], ids=["discovery", "omission"])
def test_the_bound_is_broken_in_at_most_one_card_of_twenty_of_many(world: World, side: int, bound: float) -> None:
    check(Setting(world, positives=0.25, side=side, bound=bound), DEEP_SETS)
