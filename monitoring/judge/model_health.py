"""Model health: what the models said against what then happened.

A figure needs at least `MINIMUM` entities of each label: the span behind it grows by whole minutes until it has them,
and while there are fewer there is no figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from monitoring.collect.outcomes import Codes, Columns, Outcomes, Scores, Sliced, scores_of
from training.evaluation.confidence_intervals import Answers, Interval, realised_figures, together
from training.evaluation.holdout_metrics import Floats, twice_pairs_won

MINIMUM = 30
"""Of fewer entities with a label, an interval would hold much less often than it says."""
MINUTE_S = 60
MOST_LEVELS = 200
"""Of a slice at most so many levels are measured, those with the most outcomes."""

Entities: TypeAlias = npt.NDArray[np.uint32]
"""Hashes of entities."""


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
    figures: Mapping[str, Interval] = field(default_factory=dict)
    """Each of `contract.measurements.FIGURES` with its 90 % interval."""


@dataclass(frozen=True, slots=True)
class OfLevel:
    """The figures of one level of a slice."""

    slice: str
    level: str
    realised: Realised


def by_model(
    outcomes: Outcomes, minimum: int = MINIMUM, known: Mapping[str, Realised | None] | None = None
) -> dict[str, Realised | None]:
    """The figures of each model version over all its outcomes; None where they are too few.

    `known`: what was found before; intervals of what has not changed since are taken from it.
    """
    before = known or {}
    return {
        model: _of_model(model, scores, minimum, before.get(model)) for model, scores in outcomes.by_model().items()
    }


def _of_model(
    model: str, scores: Sequence[tuple[int, Scores]], minimum: int, known: Realised | None
) -> Realised | None:
    minutes, groups = [minute for minute, _ in scores], [each for _, each in scores]
    counts = sum(len(each.positives) for each in groups), sum(len(each.negatives) for each in groups)
    won = _Won(_twice_won(groups), sum(each.loss for each in groups))
    if not _has_entities(groups, minimum):
        return None
    return _realised((min(minutes), max(minutes)), counts, won, model, groups, known)


def _twice_won(groups: Sequence[Scores]) -> int:
    """Twice the pairs won among all groups; only the class with fewer outcomes is copied together."""
    if sum(len(each.positives) - len(each.negatives) for each in groups) < 0:
        positives = _sorted([each.positives.probability for each in groups])
        return sum(twice_pairs_won(positives, each.negatives.probability) for each in groups)
    negatives = _sorted([each.negatives.probability for each in groups])
    return sum(twice_pairs_won(each.positives.probability, negatives) for each in groups)


def by_minute(outcomes: Outcomes, minimum: int = MINIMUM, known: Iterable[Realised] = ()) -> list[Realised]:
    """Realised figures at every minute of `due` that has outcomes, over as many minutes before it as it takes.

    `known`: what was found before; intervals of minutes that have not changed since are taken from it.
    """
    span, found, before = _Span(minimum), [], {each.minute_s: each for each in known}
    for minute, scores in outcomes.by_minute().items():
        span.add(_Minute.of(minute, scores, max(minimum, 1)))
        figures = span.figures(before.get(minute * MINUTE_S))
        if figures is not None:
            found.append(figures)
    return found


def by_slice(outcomes: Outcomes, minimum: int = MINIMUM) -> list[OfLevel]:
    """The figures of every level of every slice that has enough of them, over the newest outcomes."""
    sliced = [each for each in outcomes.sliced if len(each.columns) and each.newest_bucket >= outcomes.since_s]
    names = sorted({name for each in sliced for name in each.levels})
    return [
        OfLevel(name, level, realised) for name in names for level, realised in sorted(_of_slice(name, sliced, minimum))
    ]


def _of_slice(name: str, batches: Sequence[Sliced], minimum: int) -> Iterator[tuple[str, Realised]]:
    """Level by level: the outcomes of one are copied together at a time."""
    parts = [_Part.of(each, name) for each in batches if name in each.levels]
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts())
    for level, _ in sorted(sorted(counts.items()), key=lambda each: -each[1])[:MOST_LEVELS]:
        realised = _of_level([part.at(level) for part in parts if level in part.places], minimum)
        if realised is not None:
            yield level, realised


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """The outcomes of a batch with each one's level of one slice."""

    columns: Columns
    places: Mapping[str, int]
    codes: Codes

    @classmethod
    def of(cls, batch: Sliced, name: str) -> _Part:
        levels, codes = batch.levels[name]
        return cls(batch.columns, {level: place for place, level in enumerate(levels)}, codes)

    def counts(self) -> dict[str, int]:
        return dict(zip(self.places, np.bincount(self.codes, minlength=len(self.places)).tolist(), strict=True))

    def at(self, level: str) -> Columns:
        return self.columns.at(np.flatnonzero(self.codes == self.places[level]))


def _of_level(parts: Sequence[Columns], minimum: int) -> Realised | None:
    columns = Columns(*(np.concatenate([getattr(each, name) for each in parts]) for name in Columns.__slots__))
    ordered = columns.at(np.lexsort((columns.probability, columns.label)))
    scores, minutes = scores_of(ordered, 0, len(ordered)), ordered.minute
    if not _has_entities([scores], minimum):
        return None
    counts = len(scores.positives), len(scores.negatives)
    won = _Won(twice_pairs_won(scores.positives.probability, scores.negatives.probability), scores.loss)
    return _realised((int(minutes.min()), int(minutes.max())), counts, won, "", [scores], None)


@dataclass(frozen=True, eq=False, slots=True)
class _Minute:
    minute: int
    scores: Scores
    newest_model: str
    entities: tuple[Entities, Entities]
    """Of the positives and of the negatives: some of them, as many as a figure needs."""

    @classmethod
    def of(cls, minute: int, scores: Sequence[tuple[str, Scores]], minimum: int) -> _Minute:
        whole = merged([each for _, each in scores])
        entities = _some(whole.positives, minimum), _some(whole.negatives, minimum)
        return cls(minute, whole, max(model for model, _ in scores), entities)


def _some(answers: Answers, minimum: int) -> Entities:
    return np.unique(answers.entity)[:minimum].copy()  # a view would keep all of them


def _are_enough(entities: Sequence[Entities], minimum: int) -> bool:
    """Whether there are so many different ones."""
    if any(len(each) >= minimum for each in entities):
        return True
    return len(np.unique(np.concatenate(entities))) >= minimum


def _has_entities(groups: Sequence[Scores], minimum: int) -> bool:
    """Whether each class has the minimum of entities, and one at least."""
    needed = max(minimum, 1)
    of_class = [each.positives for each in groups], [each.negatives for each in groups]
    return all(_are_enough([_some(answers, needed) for answers in side], needed) for side in of_class)


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
        self._won[-1].append(twice_pairs_won(last.positives.probability, last.negatives.probability))

    def figures(self, known: Realised | None) -> Realised | None:
        if not self._has_enough(0):
            return None
        won = _Won(sum(chain.from_iterable(self._won)), sum(each.scores.loss for each in self._minutes))
        newest = max(minute.newest_model for minute in self._minutes)
        span, scores = (self._minutes[0].minute, self._minutes[-1].minute), [each.scores for each in self._minutes]
        return _realised(span, self._counts(), won, newest, scores, known)

    def _has_enough(self, start: int) -> bool:
        minutes, needed = self._minutes[start:], max(self.minimum, 1)
        return bool(minutes) and all(_are_enough([each.entities[side] for each in minutes], needed) for side in (0, 1))

    def _counts(self) -> tuple[int, int]:
        scores = [minute.scores for minute in self._minutes]
        return sum(len(each.positives) for each in scores), sum(len(each.negatives) for each in scores)


def _twice_won_between(one: Scores, other: Scores) -> int:
    pairs = ((one.positives, other.negatives), (other.positives, one.negatives))
    return sum(twice_pairs_won(positives.probability, negatives.probability) for positives, negatives in pairs)


@dataclass(frozen=True, slots=True)
class _Won:
    """Twice the pairs in which the positive is higher (a tie counts 1), and the sum of log losses."""

    twice_pairs: int
    loss: float


def _realised(
    minutes: tuple[int, int],
    counts: tuple[int, int],
    won: _Won,
    newest_model: str,
    groups: Sequence[Scores],
    known: Realised | None,
) -> Realised:
    """From the first and last minute, the numbers of positives and negatives, and the outcomes themselves."""
    positives, negatives = counts
    found = Realised(
        minute_s=minutes[1] * MINUTE_S,
        span_s=(minutes[1] - minutes[0] + 1) * MINUTE_S,
        auc=won.twice_pairs / 2 / (positives * negatives),
        log_loss=won.loss / (positives + negatives),
        outcomes=positives + negatives,
        positives=positives,
        newest_model=newest_model,
    )
    if known is not None and replace(known, figures={}) == found:
        return known
    return replace(found, figures=realised_figures([s.positives for s in groups], [s.negatives for s in groups]))


def merged(scores: Sequence[Scores]) -> Scores:
    """All of them as one."""
    if len(scores) == 1:
        return scores[0]
    positives, negatives = together([s.positives for s in scores]), together([s.negatives for s in scores])
    return Scores(positives, negatives, sum(each.loss for each in scores))


def _sorted(parts: Sequence[Floats]) -> Floats:
    whole = np.concatenate(parts)
    whole.sort()
    return whole
