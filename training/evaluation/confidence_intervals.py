"""How certain a figure is: 90 % intervals of figures over answers that come in groups.

The answers of one entity have one label and hence tell much the same: as if they were independent, an interval would
hold in some 60 % of cases instead of 90 %. So the entity is the unit: each figure is linearised, what each answer adds
to its error is summed up by entity, and the variance is that of these sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.measurements import FIGURES
from training.evaluation.holdout_metrics import Bools, Floats, clipped

Z_90: Final = 1.645
"""Of a normal distribution, 90 % lies within so many standard deviations of its middle."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, slots=True)
class Answers:
    """Answers of one class, ascending by probability: arrays of one length.

    `decided` says whether the decision was `positive`; `entity` is a hash of the entity.
    """

    probability: Floats
    decided: Bools
    entity: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.probability)


@dataclass(frozen=True, eq=False)
class _ByEntity:
    """Sums over the answers of each entity: arrays with one element an entity."""

    answers: Floats
    loss: Floats
    squared_error: Floats
    expected: Floats
    """Of the probabilities: so many positives are to be expected."""
    positives: Floats
    hits: Floats
    """Positives that were decided as such; with `misses` and `false_alarms` all that F1 needs."""
    misses: Floats
    false_alarms: Floats
    auc_influence: Floats


def realised_figures(positives: Answers, negatives: Answers) -> dict[str, Interval]:
    """Each of `contract.measurements.FIGURES` with its interval; at least one answer of each class is needed.

    auc          area under the ROC curve
    log_loss     mean, in nats
    f1, f2       of the decisions; F2 weighs recall four times as much as precision
    accuracy     share of decisions that were right
    brier        mean squared difference of probability and outcome
    calibration  positives / positives that the probabilities promised: 1 is right, 2 is twice as many as promised
    """
    return dict(zip(FIGURES, _figures(positives, negatives), strict=True))


def _figures(positives: Answers, negatives: Answers) -> Iterator[Interval]:
    of, area = _summed_by_entity(positives, negatives)
    support = len(of.answers)
    rarer = int(min((of.positives > 0).sum(), (of.answers > of.positives).sum()))
    yield _share(area, _standard_error(of.auc_influence), rarer)
    yield _amount(*_ratio(of.loss, of.answers), support)
    yield _share(*_ratio(2 * of.hits, 2 * of.hits + of.misses + of.false_alarms), support)
    yield _share(*_ratio(5 * of.hits, 5 * of.hits + 4 * of.misses + of.false_alarms), support)
    yield _share(*_ratio(of.answers - of.misses - of.false_alarms, of.answers), support)
    yield _amount(*_ratio(of.squared_error, of.answers), support)
    yield _amount(*_ratio(of.positives, of.expected), support)


def _summed_by_entity(positives: Answers, negatives: Answers) -> tuple[_ByEntity, float]:
    """The sums, and the AUC."""
    entities, numbers = np.unique(np.concatenate([positives.entity, negatives.entity]), return_inverse=True)
    of_positive, of_negative = numbers[: len(positives)], numbers[len(positives) :]

    def summed(of_positives: Floats | None, of_negatives: Floats | None) -> Floats:
        total = np.zeros(len(entities))
        for group, values in ((of_positive, of_positives), (of_negative, of_negatives)):
            if values is not None:
                total += np.bincount(group, values, len(entities))
        return total

    p, q = positives.probability, negatives.probability
    above_negatives, above_positives = _share_below(q, p), 1 - _share_below(p, q)
    area = float(above_negatives.mean())
    sums = _ByEntity(
        answers=summed(np.ones(len(p)), np.ones(len(q))),
        loss=summed(-np.log(clipped(p)), -np.log1p(-clipped(q))),
        squared_error=summed((1 - p) ** 2, q**2),
        expected=summed(clipped(p), clipped(q)),
        positives=summed(np.ones(len(p)), None),
        hits=summed(positives.decided.astype(float), None),
        misses=summed((~positives.decided).astype(float), None),
        false_alarms=summed(None, negatives.decided.astype(float)),
        auc_influence=summed((above_negatives - area) / len(p), (above_positives - area) / len(q)),
    )
    return sums, area


def _share_below(scores: Floats, bounds: Floats) -> Floats:
    """For each bound the share of the ascending scores below it, ties counting half.

    These are the placement values of the AUC's variance. Source: Obuchowski, "Nonparametric analysis of clustered ROC
    curve data", Biometrics 53 (1997).
    """
    return (np.searchsorted(scores, bounds, "left") + np.searchsorted(scores, bounds, "right")) / (2 * len(scores))


def _ratio(above: Floats, below: Floats) -> tuple[float, float]:
    """A ratio of two sums, and its standard error by linearisation; 0 where there is nothing to divide by.

    Source: Cochran, "Sampling Techniques" (1977), chapter 6.
    """
    total = below.sum()
    if not total:
        return 0.0, 0.0
    value = above.sum() / total
    return float(value), _standard_error((above - value * below) / total)


def _standard_error(influence: Floats) -> float:
    """Of a figure, from what each entity adds to its error."""
    count = len(influence)
    return math.sqrt(count / max(count - 1, 1) * float((influence**2).sum()))


def _share(value: float, error: float, count: int) -> Interval:
    """The interval of a figure between 0 and 1, made on the logit's scale, where it is nearly symmetric."""
    if not 0 < value < 1 or error <= 0:
        return _of_no_error(value, count)
    logit, half = math.log(value / (1 - value)), Z_90 * error / (value * (1 - value))
    return Interval(value, _expit(logit - half), _expit(logit + half))


def _amount(value: float, error: float, count: int) -> Interval:
    """The interval of a figure above 0, made on the logarithm's scale."""
    if value <= 0:
        return Interval(value, 0.0, Z_90**2 / (count + Z_90**2))
    half = min(Z_90 * error / value, 600.0)
    return Interval(value, value * math.exp(-half), value * math.exp(half))


def _of_no_error(value: float, count: int) -> Interval:
    """Where the sample shows no error at all. Source: Wilson, "Probable inference", JASA 22 (1927)."""
    middle = (value + Z_90**2 / (2 * count)) / (1 + Z_90**2 / count)
    spread = value * (1 - value) / count + Z_90**2 / (4 * count**2)
    half = Z_90 * math.sqrt(max(spread, 0.0)) / (1 + Z_90**2 / count)
    return Interval(value, max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half)))


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-min(max(x, -700.0), 700.0)))
