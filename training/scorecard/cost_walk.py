"""Two thresholds whose expected cost of an answer is below a bound, by betting against "the cost is above it".

Source: Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting", arXiv 2010.09686. The
thresholds are walked as in `threshold_walk`: from the cheapest pair to more answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from contract.pipeline import Costs
from training.evaluation.holdout_metrics import Floats, Scored
from training.evaluation.holdout_split import hashes_of_groups
from training.scorecard.side_rows import Numbers, Unit

STEPS: Final = 100
"""So many pairs are on the path, each with one percent of the rows more than the one before."""
_MOST_OF_THE_STAKE: Final = 0.95
_HALVINGS: Final = 20

Pair: TypeAlias = tuple[float | None, float | None]
"""(at most, at least): negative up to the first, positive from the second; None: never."""


@dataclass(frozen=True)
class CostRows:
    """Calibrate rows, numbered by group: `number` is 0 .. groups - 1, in a seeded random order of the groups."""

    probability: Floats
    label: npt.NDArray[np.bool_]
    number: Numbers
    sizes: Numbers
    largest: int
    """Rows of the largest group of the whole holdout."""


def cost_rows(calibrate: Scored, compare: Scored) -> CostRows:
    """The rows, and the order in which their groups are bet on."""
    number, smallest = hashes_of_groups(calibrate)
    place = np.empty(len(smallest), np.int64)
    place[np.argsort(smallest, kind="stable")] = np.arange(len(smallest))
    number = place[number]
    sizes = np.bincount(number, minlength=len(smallest))
    others = np.unique(compare.group, return_counts=True)[1]
    largest = max(int(sizes.max(initial=0)), int(others.max(initial=0)))
    return CostRows(calibrate.probability, calibrate.label, number, sizes, largest)


def cost_path(compare: Scored, costs: Costs) -> list[Pair]:
    """The cheapest pair for each share of answers, from none to all, on compare rows."""
    order = np.argsort(compare.probability, kind="stable")
    probability, label = compare.probability[order], compare.label[order]
    count = len(label)
    if not count:
        return []
    cuts = np.unique(np.round(np.linspace(0, count, STEPS + 1)).astype(np.int64))
    misses = np.concatenate([[0], np.cumsum(label)])[cuts] * costs.false_negative
    alarms = np.concatenate([[0], np.cumsum(~label[::-1])])[cuts] * costs.false_positive
    return [_pair(probability, cuts, misses, alarms, answered) for answered in range(len(cuts))]


def _pair(probability: Floats, cuts: Numbers, misses: Floats, alarms: Floats, answered: int) -> Pair:
    """Of the pairs that answer `answered` steps of rows, the one that is cheapest."""
    low = int(np.argmin(misses[: answered + 1] + alarms[answered::-1]))
    below, above = int(cuts[low]), int(cuts[answered - low])
    return (
        float(probability[below - 1]) if below else None,
        float(probability[len(probability) - above]) if above else None,
    )


def mean_cost(scored: Scored, pair: Pair, costs: Costs) -> float:
    """Of an answer, over all rows."""
    return float(_row_costs(scored.probability, scored.label, pair, costs).mean()) if len(scored.label) else 0.0


def cheapest(compare: Scored, path: Sequence[Pair], costs: Costs) -> int:
    """The place of the cheapest pair on the path: where the walk begins."""
    return int(np.argmin([mean_cost(compare, pair, costs) for pair in path]))


def walked_pair(
    compare: Scored, rows: CostRows, costs: Costs, units: Sequence[Unit], level: float
) -> tuple[Pair | None, Pair | None]:
    """(the pair at which the walk begins, the last that passed); None where there is none."""
    path = cost_path(compare, costs)
    if not path:
        return None, None
    start = cheapest(compare, path, costs)
    last = None
    for pair in path[start:]:
        if any(cost_p_value(rows, pair, costs, unit, costs.bound, level) > level for unit in units):
            break
        last = pair
    return path[start], last


def cost_p_value(rows: CostRows, pair: Pair, costs: Costs, unit: Unit, bound: float, level: float) -> float:
    """How likely so low costs are, if an answer costs `bound` on average; 1 where nothing counts."""
    highest = costs.highest
    share = bound / highest
    if not len(rows.sizes) or not 0 < share < 1:
        return 1.0 if share < 1 else 0.0
    cost = _row_costs(rows.probability, rows.label, pair, costs)
    mean = np.bincount(rows.number, cost, len(rows.sizes)) / rows.sizes / highest
    if unit == "answer":
        mean = share + (mean - share) * rows.sizes / rows.largest
    return _betting_p_value(mean, share, level)


def upper_cost(rows: CostRows, pair: Pair, costs: Costs, unit: Unit, level: float) -> float:
    """The smallest bound that these costs show to hold."""
    low, high = 0.0, costs.highest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        holds = cost_p_value(rows, pair, costs, unit, middle, level) <= level
        low, high = (low, middle) if holds else (middle, high)
    return high


def _row_costs(probability: Floats, label: npt.NDArray[np.bool_], pair: Pair, costs: Costs) -> Floats:
    at_most, at_least = pair
    positive = probability >= (np.inf if at_least is None else at_least)
    negative = probability <= (-np.inf if at_most is None else at_most)
    cost = np.full(len(label), costs.abstain)
    cost[negative & ~positive] = 0.0
    cost[positive & ~negative] = 0.0
    cost[positive & ~negative & ~label] = costs.false_positive
    cost[negative & ~positive & label] = costs.false_negative
    return cost


def _betting_p_value(losses: Floats, mean: float, level: float) -> float:
    """One over the most that a gambler had who bet on losses below `mean`; what is bet on each is set before it."""
    count = len(losses)
    before = np.arange(count)
    total = np.cumsum(losses) - losses
    centre_after = (mean + total + losses) / (before + 2)
    squares = (losses - centre_after) ** 2
    variance = (mean * (1 - mean) + np.cumsum(squares) - squares) / (before + 1)
    stake = np.minimum(np.sqrt(2 * np.log(1 / level) / (count * variance)), _MOST_OF_THE_STAKE / (1 - mean))
    wealth = np.cumsum(np.log1p(stake * (mean - losses)))
    return float(np.exp(-max(float(wealth.max()), 0.0)))
