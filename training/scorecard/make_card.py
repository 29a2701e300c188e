"""The scorecard of a model, from its holdout in two parts and the team's tolerances."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np

from contract.pipeline import Costs, Scorecard, Tolerance
from contract.scorecard import (
    CalibrationBin,
    Card,
    Coverage,
    ExpectedCost,
    Side,
    SliceRisk,
    ToleranceCard,
)
from contract.timestamps import rfc3339
from training.evaluation.holdout_metrics import Bools, Scored
from training.scorecard.bounds import interval
from training.scorecard.cost_walk import Pair, cost_rows, mean_cost, upper_cost, walked_pair
from training.scorecard.side_card import RATES_OF_SIDE, side_card, side_walks, units
from training.scorecard.side_rows import Numbers, kish

_BINS: Final = 10
_US_AN_HOUR: Final = 3_600_000_000
MOST_LEVELS: Final = 30
"""So many levels of a slice are on the card: those with the most rows."""


def make_card(compare: Scored, calibrate: Scored, wanted: Scorecard, valid_until: datetime) -> Card:
    """The card; a tolerance that is not attainable has no threshold, and says in numbers what it lacks."""
    hours = len(np.unique(calibrate.append_us // _US_AN_HOUR))
    return Card(
        compare_rows=len(compare.label),
        calibrate_rows=len(calibrate.label),
        calibrate_groups=len(np.unique(calibrate.group)),
        clock_hours=hours,
        tolerances=[_tolerance_card(compare, calibrate, each, valid_until) for each in wanted.tolerances],
        default=wanted.default,
        calibration=_calibration(calibrate),
    )


def _tolerance_card(compare: Scored, calibrate: Scored, tolerance: Tolerance, valid_until: datetime) -> ToleranceCard:
    positive: Side | None = None
    negative: Side | None = None
    cost: ExpectedCost | None = None
    if tolerance.cost is not None:
        (at_most, at_least), cost = _by_cost(compare, calibrate, tolerance, tolerance.cost)
    else:
        positive, negative = _by_rates(compare, calibrate, tolerance)
        at_least = positive.threshold if positive else None
        at_most = negative.threshold if negative else None
    decided = _decided(calibrate, at_most, at_least)
    return ToleranceCard(
        name=tolerance.name,
        confidence=tolerance.confidence,
        per=tolerance.per,
        positive=positive,
        negative=negative,
        cost=cost,
        at_least=at_least,
        at_most=at_most,
        coverage=_coverage(calibrate, decided, np.ones(len(decided), np.bool_), tolerance.confidence),
        slices=_slices(calibrate, decided, at_least, tolerance.confidence),
        valid_until=rfc3339(valid_until),
        when_expired=tolerance.when_expired,
    )


def _by_rates(compare: Scored, calibrate: Scored, tolerance: Tolerance) -> tuple[Side | None, Side | None]:
    """Both sides; each that has a bound gets an equal part of what may go wrong."""
    bounded = [side for side, names in RATES_OF_SIDE.items() if names.keys() & tolerance.rates.keys()]
    level = (1 - tolerance.confidence) / len(bounded)
    walks = side_walks(compare, calibrate, tolerance, level)
    made = {side: side_card(calibrate, side, walk, tolerance, level) for side, walk in walks.items()}
    return made.get("positive"), made.get("negative")


def _by_cost(compare: Scored, calibrate: Scored, tolerance: Tolerance, costs: Costs) -> tuple[Pair, ExpectedCost]:
    """Two thresholds are chosen, so that each has half of what may go wrong."""
    level = (1 - tolerance.confidence) / 2
    rows = cost_rows(calibrate, compare)
    start, found = walked_pair(compare, rows, costs, units(tolerance), level)
    shown = found or start or (None, None)
    told = ExpectedCost(
        bound=costs.bound,
        level=level,
        observed=mean_cost(calibrate, shown, costs),
        upper_entity=upper_cost(rows, shown, costs, "entity", level),
        upper_answer=upper_cost(rows, shown, costs, "answer", level),
        groups=len(rows.sizes),
    )
    return found or (None, None), told


def _decided(scored: Scored, at_most: float | None, at_least: float | None) -> Bools:
    positive = scored.probability >= (np.inf if at_least is None else at_least)
    negative = scored.probability <= (-np.inf if at_most is None else at_most)
    decided: Bools = positive ^ negative
    return decided


def _coverage(scored: Scored, decided: Bools, among: Bools, confidence: float) -> Coverage:
    """Of the rows `among`; the interval counts rows of a group as one."""
    rows = int(among.sum())
    if not rows:
        return Coverage(share=None, low=0.0, high=1.0, rows=0)
    share = float(decided[among].mean())
    n = kish(np.unique(scored.group[among], return_counts=True)[1])
    low, high = interval(n, n * share, confidence)
    return Coverage(share=share, low=low, high=high, rows=rows)


def _slices(scored: Scored, decided: Bools, at_least: float | None, confidence: float) -> list[SliceRisk]:
    positive = decided & (scored.probability >= (np.inf if at_least is None else at_least))
    negative = decided & ~positive
    found = []
    for name, each in scored.slices.items():
        codes, counted = np.unique(each.codes, return_counts=True)
        for code in codes[np.argsort(-counted, kind="stable")][:MOST_LEVELS].tolist():
            here = each.codes == code
            found.append(
                SliceRisk(
                    slice=name,
                    level=each.levels[code] if code >= 0 else "",
                    coverage=_coverage(scored, decided, here, confidence),
                    wrong_positive=_share(~scored.label, positive & here),
                    wrong_negative=_share(scored.label, negative & here),
                )
            )
    return found


def _share(what: Bools, among: Bools) -> float | None:
    return float(what[among].mean()) if among.any() else None


def _calibration(scored: Scored) -> list[CalibrationBin]:
    """Tenths of the rows, by probability; the interval is one of 95 %."""
    order = np.argsort(scored.probability, kind="stable")
    return [_bin(scored, rows) for rows in np.array_split(order, _BINS) if len(rows)]


def _bin(scored: Scored, rows: Numbers) -> CalibrationBin:
    observed = float(scored.label[rows].mean())
    n = kish(np.unique(scored.group[rows], return_counts=True)[1])
    low, high = interval(n, n * observed, 0.95)
    predicted = float(scored.probability[rows].mean())
    return CalibrationBin(predicted=predicted, observed=observed, low=low, high=high, rows=len(rows))
