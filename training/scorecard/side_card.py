"""One side of a tolerance: its threshold, or what it lacks for one; the rates there, and along all thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from contract.pipeline import Tolerance
from contract.scorecard import Counted, CurvePoint, Rate, Shortfall, Side
from training.evaluation.holdout_metrics import Floats, Scored
from training.scorecard.bounds import Counts, needed, p_value, upper_bound
from training.scorecard.side_rows import UNITS, Base, SideName, SideRows, Unit, counts, side_rows
from training.scorecard.threshold_walk import RateBound, Walk, walked

RATES_OF_SIDE: Final[Mapping[SideName, Mapping[str, Base]]] = {
    "positive": {"false_discovery_rate": "trusted", "false_positive_rate": "class"},
    "negative": {"false_omission_rate": "trusted", "false_negative_rate": "class"},
}
"""The rates that bound each side, and among which rows each counts."""
_CURVE_POINTS: Final = 40
_US_AN_HOUR: Final = 3.6e9


def side_walks(compare: Scored, calibrate: Scored, tolerance: Tolerance, level: float) -> dict[SideName, Walk]:
    """The walk of each side that the tolerance bounds, so that no probability is decided by both."""
    walks = {
        side: walked(
            side_rows(compare, side), side_rows(calibrate, side), list(bounds.values()), units(tolerance), level
        )
        for side in RATES_OF_SIDE
        if (bounds := _bounds(side, tolerance))
    }
    positive, negative = walks.get("positive"), walks.get("negative")
    if positive is not None and negative is not None and positive.threshold is not None:
        walks["negative"] = negative.stricter_than(-positive.threshold)
    return walks


def units(tolerance: Tolerance) -> tuple[Unit, ...]:
    """Of what the tolerance's rates must hold."""
    return UNITS if tolerance.per == "both" else (tolerance.per,)


def side_card(calibrate: Scored, side: SideName, walk: Walk, tolerance: Tolerance, level: float) -> Side:
    """What a side's walk has found. `level` is one minus its confidence."""
    rows, bounds = side_rows(calibrate, side), _bounds(side, tolerance)
    sign = 1.0 if side == "positive" else -1.0
    place = walk.start if walk.end is None else walk.end
    at = np.array([np.inf]) if place is None else walk.grid[place : place + 1]
    failed = walk.end is None and not walk.gave_way
    return Side(
        threshold=None if walk.threshold is None else sign * walk.threshold,
        level=level,
        rates=[_rate(rows, at, name, bound, level) for name, bound in bounds.items()],
        share=_share_at(rows, walk.threshold),
        shortfall=_shortfall(rows, at, bounds, units(tolerance), level, _hours(calibrate)) if failed else None,
        curve=_curve(rows, walk, bounds, units(tolerance), level, sign),
    )


def _bounds(side: SideName, tolerance: Tolerance) -> dict[str, RateBound]:
    bases = RATES_OF_SIDE[side]
    return {name: RateBound(bases[name], bound) for name, bound in tolerance.rates.items() if name in bases}


def _rate(rows: SideRows, at: Floats, name: str, bound: RateBound, level: float) -> Rate:
    of = {unit: _counted(counts(rows, at, bound.base, unit), level) for unit in UNITS}
    return Rate(name=name, bound=bound.bound, entity=of["entity"], answer=of["answer"])


def _counted(found: Counts, level: float) -> Counted:
    n, k = float(found.n[0]), float(found.k[0])
    return Counted(n=n, k=k, observed=k / n if n > 0 else None, upper=float(upper_bound(found, level)[0]))


def _share_at(rows: SideRows, threshold: float | None) -> float:
    return 0.0 if threshold is None or not len(rows.score) else float((rows.score >= threshold).mean())


def _hours(scored: Scored) -> float:
    """How long the rows' events came."""
    return float(np.ptp(scored.append_us)) / _US_AN_HOUR if len(scored.append_us) else 0.0


def _shortfall(
    rows: SideRows, at: Floats, bounds: Mapping[str, RateBound], among: Sequence[Unit], level: float, hours: float
) -> Shortfall:
    """Of the rate and unit with the weakest evidence."""
    tried = [
        (name, bound, unit, counts(rows, at, bound.base, unit)) for name, bound in bounds.items() for unit in among
    ]
    name, bound, unit, found = max(tried, key=lambda each: float(p_value(each[3], each[1].bound)[0]))
    n, k = float(found.n[0]), float(found.k[0])
    wanted = needed(bound.bound, level, k / n if n > 0 else 0.0)
    return Shortfall(
        rate=name,
        per=unit,
        bound=bound.bound,
        n=n,
        k=k,
        needed=wanted,
        holdout_hours=hours * wanted / n if wanted is not None and n > 0 and hours > 0 else None,
        largest_three=_largest_three(rows, float(at[0])),
    )


def _largest_three(rows: SideRows, threshold: float) -> float:
    sizes = np.sort(np.unique(rows.group[rows.score >= threshold], return_counts=True)[1])
    return float(sizes[-3:].sum() / sizes.sum()) if len(sizes) else 0.0


def _curve(
    rows: SideRows,
    walk: Walk,
    bounds: Mapping[str, RateBound],
    among: Sequence[Unit],
    level: float,
    sign: float,
) -> list[CurvePoint]:
    """Some of the grid's thresholds, from strict to loose, with the one that was found."""
    if not len(walk.grid) or not len(rows.score):
        return []
    places = np.linspace(0, len(walk.grid) - 1, _CURVE_POINTS).round().astype(np.int64)
    grid = walk.grid[np.unique(np.append(places, [] if walk.end is None else [walk.end]).astype(np.int64))]
    answers = [counts(rows, grid, bound.base, "answer") for bound in bounds.values()]
    uppers = [
        np.max([upper_bound(counts(rows, grid, bound.base, unit), level) for unit in among], axis=0)
        for bound in bounds.values()
    ]
    trusted = np.searchsorted(np.sort(-rows.score), -grid, side="right") / len(rows.score)
    return [
        CurvePoint(
            threshold=float(sign * grid[at]),
            share=float(trusted[at]),
            observed=[float(each.k[at] / each.n[at]) if each.n[at] > 0 else None for each in answers],
            upper=[float(each[at]) for each in uppers],
        )
        for at in range(len(grid))
    ]
