"""How certain a figure is: 90 % intervals of figures over answers that come in groups.

The answers of one entity have one label and hence tell much the same: as if they were independent, an interval would
hold in some 60 % of cases instead of 90 %. So the entity is the unit: each figure is linearised, what each answer adds
to its error is summed up by entity, and the variance is that of these sums.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from contract.measurements import FIGURES
from training.evaluation.holdout_metrics import Bools, Floats, clipped, twice_pairs_won

Z_90: Final = 1.645
"""Of a normal distribution, 90 % lies within so many standard deviations of its middle."""
AT_ONCE: Final = 50_000
"""The errors of about so many answers are summed up by entity at once, which bounds what this needs of memory."""


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

    def at(self, places: npt.NDArray[np.intp] | slice) -> Answers:
        """Those at these places, in this order."""
        return Answers(self.probability[places], self.decided[places], self.entity[places])


def together(answers: Sequence[Answers]) -> Answers:
    """All of them as one."""
    if len(answers) == 1:
        return answers[0]
    order = np.argsort(np.concatenate([each.probability for each in answers]), kind="stable")
    return Answers(*(np.concatenate([getattr(each, name) for each in answers])[order] for name in Answers.__slots__))


Sums: TypeAlias = Mapping[str, Any]
"""What answers add to the figures, by name: arrays with one element an answer, or the sums over all.

`hits` are positives that were decided as such; with `misses` and `false_alarms` all that F1 needs. `expected` is the
sum of the probabilities: so many positives are to be expected.
"""


def realised_figures(positives: Sequence[Answers], negatives: Sequence[Answers]) -> dict[str, Interval]:
    """Each of `contract.measurements.FIGURES` with its interval, over all these answers; one of each class is needed.

    auc          area under the ROC curve
    log_loss     mean, in nats
    f1, f2       of the decisions; F2 weighs recall four times as much as precision
    accuracy     share of decisions that were right
    brier        mean squared difference of probability and outcome
    calibration  positives / positives that the probabilities promised: 1 is right, 2 is twice as many as promised

    It needs 8 bytes an answer and some 20 MB, whatever the number of answers, as entities are taken some at a time.
    """
    return dict(zip(FIGURES, _figures(positives, negatives), strict=True))


def _figures(positives: Sequence[Answers], negatives: Sequence[Answers]) -> Iterator[Interval]:
    whole = _Whole.of(positives, negatives)
    parts = 1 + (len(whole.positives) + len(whole.negatives)) // AT_ONCE
    errors = _Errors()
    for part in range(parts):
        errors.add(_some(positives, part, parts), _some(negatives, part, parts), whole)
    area, *of_ratios = errors.standard_errors()
    log_loss, f1, f2, accuracy, brier, calibration = zip(whole.ratios, of_ratios, strict=True)
    yield _share(whole.area, area, min(errors.with_positive, errors.with_negative))
    yield _amount(*log_loss, errors.entities)
    yield _share(*f1, errors.entities)
    yield _share(*f2, errors.entities)
    yield _share(*accuracy, errors.entities)
    yield _amount(*brier, errors.entities)
    yield _amount(*calibration, errors.entities)


def _some(answers: Sequence[Answers], part: int, parts: int) -> Answers:
    """The answers of one of so many parts of the entities."""
    if parts == 1:
        return together(answers)
    return together([each.at(np.flatnonzero(each.entity % parts == part)) for each in answers])


@dataclass(frozen=True, eq=False)
class _Whole:
    """All answers: the probabilities of each class, ascending, the area under the ROC curve, and the ratios' parts."""

    positives: Floats
    negatives: Floats
    area: float
    fractions: list[tuple[float, float]]

    @classmethod
    def of(cls, positives: Sequence[Answers], negatives: Sequence[Answers]) -> _Whole:
        p, q = _ascending(positives), _ascending(negatives)
        added = chain(map(_of_positives, _short(positives)), map(_of_negatives, _short(negatives)))
        totals: Counter[str] = Counter()
        for each in added:
            totals.update({name: float(values.sum()) for name, values in each.items()})
        fractions = [(float(above), float(below)) for above, below in _fractions(totals)]
        return cls(p, q, twice_pairs_won(p, q) / 2 / (len(p) * len(q)), fractions)

    @property
    def ratios(self) -> list[float]:
        """0 where there is nothing to divide by."""
        return [above / below if below else 0.0 for above, below in self.fractions]


@dataclass
class _Errors:
    """Squares of what each entity adds to the error of a figure, summed up; and how many entities there were."""

    entities: int = 0
    with_positive: int = 0
    with_negative: int = 0
    _squares: Floats = field(default_factory=lambda: np.zeros(len(FIGURES)))
    """In the order of `FIGURES`."""

    def add(self, positives: Answers, negatives: Answers, whole: _Whole) -> None:
        """All answers of some entities.

        Sources: for the area Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 53 (1997);
        for the ratios Cochran, "Sampling Techniques" (1977), chapter 6.
        """
        entities, numbers = np.unique(np.concatenate([positives.entity, negatives.entity]), return_inverse=True)
        count, of_positive, of_negative = len(entities), numbers[: len(positives)], numbers[len(positives) :]
        for place, (p, q) in enumerate(_influences(positives, negatives, whole)):
            of_entity = np.bincount(of_positive, p, count) + np.bincount(of_negative, q, count)
            self._squares[place] += float((of_entity**2).sum())
        self.entities += count
        self.with_positive += len(np.unique(of_positive))
        self.with_negative += len(np.unique(of_negative))

    def standard_errors(self) -> list[float]:
        """In the order of `FIGURES`."""
        scale = self.entities / max(self.entities - 1, 1)
        return [math.sqrt(scale * square) for square in self._squares.tolist()]


def _influences(positives: Answers, negatives: Answers, whole: _Whole) -> Iterator[tuple[Floats, Floats]]:
    """What each positive and each negative adds to the error of a figure, in the order of `FIGURES`."""
    yield (
        (_share_below(whole.negatives, positives.probability) - whole.area) / len(whole.positives),
        (1 - _share_below(whole.positives, negatives.probability) - whole.area) / len(whole.negatives),
    )
    of_class = _fractions(_of_positives(positives)), _fractions(_of_negatives(negatives))
    for ratio, (_, total), *of_each in zip(whole.ratios, whole.fractions, *of_class, strict=True):
        p, q = ((above - ratio * below) / (total or 1.0) for above, below in of_each)
        yield p, q


def _fractions(of: Sums) -> list[tuple[Any, Any]]:
    """What is divided by what for log loss, F1, F2, accuracy, Brier score and calibration."""
    answers, hits, misses, false_alarms = of["answers"], of["hits"], of["misses"], of["false_alarms"]
    return [
        (of["loss"], answers),
        (2 * hits, 2 * hits + misses + false_alarms),
        (5 * hits, 5 * hits + 4 * misses + false_alarms),
        (answers - misses - false_alarms, answers),
        (of["squared_error"], answers),
        (of["positives"], of["expected"]),
    ]


def _of_positives(answers: Answers) -> Sums:
    p, decided = answers.probability, answers.decided.astype(float)
    likely, ones, zeros = clipped(p), np.ones(len(p)), np.zeros(len(p))
    return {"answers": ones, "positives": ones, "hits": decided, "misses": 1 - decided, "false_alarms": zeros,
            "loss": -np.log(likely), "squared_error": (1 - p) ** 2, "expected": likely}  # fmt: skip


def _of_negatives(answers: Answers) -> Sums:
    q, decided = answers.probability, answers.decided.astype(float)
    likely, ones, zeros = clipped(q), np.ones(len(q)), np.zeros(len(q))
    return {"answers": ones, "positives": zeros, "hits": zeros, "misses": zeros, "false_alarms": decided,
            "loss": -np.log1p(-likely), "squared_error": q**2, "expected": likely}  # fmt: skip


def _short(answers: Sequence[Answers]) -> Iterator[Answers]:
    """Slices, so that what is computed of each needs little memory."""
    for each in answers:
        for start in range(0, len(each), AT_ONCE):
            yield each.at(slice(start, start + AT_ONCE))


def _ascending(answers: Sequence[Answers]) -> Floats:
    if len(answers) == 1:
        return answers[0].probability
    probabilities = np.concatenate([each.probability for each in answers])
    probabilities.sort()
    return probabilities


def _share_below(scores: Floats, bounds: Floats) -> Floats:
    """For each bound the share of the ascending scores below it, ties counting half.

    These are the placement values of the AUC's variance. Source: Obuchowski, "Nonparametric analysis of clustered ROC
    curve data", Biometrics 53 (1997).
    """
    places = np.searchsorted(scores, bounds, "left") + np.searchsorted(scores, bounds, "right")
    shares: Floats = places / (2 * len(scores))
    return shares


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
