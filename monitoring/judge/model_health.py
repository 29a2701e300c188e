"""Model health: what the models said against what then happened.

A figure needs at least `MINIMUM` positives and negatives: the span behind it grows by whole minutes until it has
them, and while there are fewer there is no figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from monitoring.collect.outcomes import Outcomes, Scores
from training.evaluation.holdout_metrics import Floats, twice_pairs_won

MINIMUM = 30
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Realised:
    """The figures of the outcomes due in the `span_s` seconds that end with a minute."""

    minute_s: int
    span_s: int
    auc: float
    log_loss: float
    outcomes: int
    positives: int
    newest_model: str


def by_model(outcomes: Outcomes, minimum: int = MINIMUM) -> dict[str, Realised | None]:
    """The figures of each model version over all its outcomes; None where they are too few."""
    return {model: _of_model(model, scores, minimum) for model, scores in outcomes.by_model().items()}


def _of_model(model: str, scores: Sequence[tuple[int, Scores]], minimum: int) -> Realised | None:
    minutes, groups = [minute for minute, _ in scores], [each for _, each in scores]
    counts = sum(len(each.positives) for each in groups), sum(len(each.negatives) for each in groups)
    won = _Won(_twice_won(groups), sum(each.loss for each in groups))
    return _realised((min(minutes), max(minutes)), counts, won, model, minimum)


def _twice_won(groups: Sequence[Scores]) -> int:
    """Twice the pairs won among all groups; only the class with fewer outcomes is copied together."""
    if sum(len(each.positives) - len(each.negatives) for each in groups) < 0:
        positives = _sorted([each.positives for each in groups])
        return sum(twice_pairs_won(positives, each.negatives) for each in groups)
    negatives = _sorted([each.negatives for each in groups])
    return sum(twice_pairs_won(each.positives, negatives) for each in groups)


def by_minute(outcomes: Outcomes, minimum: int = MINIMUM) -> list[Realised]:
    """Realised figures at every minute of `due` that has outcomes, over as many minutes before it as it takes."""
    span, found = _Span(minimum), []
    for minute, scores in outcomes.by_minute().items():
        span.add(_Minute.of(minute, scores))
        figures = span.figures()
        if figures is not None:
            found.append(figures)
    return found


@dataclass(frozen=True, eq=False, slots=True)
class _Minute:
    minute: int
    scores: Scores
    newest_model: str

    @classmethod
    def of(cls, minute: int, scores: Sequence[tuple[str, Scores]]) -> _Minute:
        return cls(minute, merged([each for _, each in scores]), max(model for model, _ in scores))


@dataclass
class _Span:
    """The shortest run of minutes up to the last one that holds the minimum of both classes.

    It only moves forward, and the pairs that a positive of one minute makes with the negatives of another are counted
    once: a span that is long, since one class is rare, costs no more than its few records of that class.
    """

    minimum: int
    _minutes: list[_Minute] = field(default_factory=list)
    _won: list[list[int]] = field(default_factory=list)
    """Of each minute of the span: twice the pairs won in it and against each later minute, summed when it leaves."""

    def add(self, minute: _Minute) -> None:
        self._minutes.append(minute)
        self._won.append([])
        while self._has_enough(1):
            del self._minutes[0], self._won[0]
        last = minute.scores
        for older, won in zip(self._minutes[:-1], self._won[:-1], strict=True):
            won.append(_twice_won_between(older.scores, last))
        self._won[-1].append(twice_pairs_won(last.positives, last.negatives))

    def figures(self) -> Realised | None:
        if not self._has_enough(0):
            return None
        won = _Won(sum(chain.from_iterable(self._won)), sum(each.scores.loss for each in self._minutes))
        newest = max(minute.newest_model for minute in self._minutes)
        return _realised(
            (self._minutes[0].minute, self._minutes[-1].minute), self._counts(0), won, newest, self.minimum
        )

    def _has_enough(self, start: int) -> bool:
        return len(self._minutes) > start and min(self._counts(start)) >= self.minimum

    def _counts(self, start: int) -> tuple[int, int]:
        scores = [minute.scores for minute in self._minutes[start:]]
        return sum(len(each.positives) for each in scores), sum(len(each.negatives) for each in scores)


def _twice_won_between(one: Scores, other: Scores) -> int:
    return twice_pairs_won(one.positives, other.negatives) + twice_pairs_won(other.positives, one.negatives)


@dataclass(frozen=True, slots=True)
class _Won:
    """Twice the pairs in which the positive is higher (a tie counts 1), and the sum of log losses."""

    twice_pairs: int
    loss: float


def _realised(
    minutes: tuple[int, int], counts: tuple[int, int], won: _Won, newest_model: str, minimum: int
) -> Realised | None:
    """From the first and last minute, and the numbers of positives and negatives."""
    positives, negatives = counts
    if min(counts) < max(minimum, 1):
        return None
    return Realised(
        minute_s=minutes[1] * MINUTE_S,
        span_s=(minutes[1] - minutes[0] + 1) * MINUTE_S,
        auc=won.twice_pairs / 2 / (positives * negatives),
        log_loss=won.loss / (positives + negatives),
        outcomes=positives + negatives,
        positives=positives,
        newest_model=newest_model,
    )


def merged(scores: Sequence[Scores]) -> Scores:
    """All of them as one."""
    if len(scores) == 1:
        return scores[0]
    positives, negatives = _sorted([s.positives for s in scores]), _sorted([s.negatives for s in scores])
    return Scores(positives, negatives, sum(each.loss for each in scores))


def _sorted(parts: Sequence[Floats]) -> Floats:
    whole = np.concatenate(parts)
    whole.sort()
    return whole
