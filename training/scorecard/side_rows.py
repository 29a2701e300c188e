"""A holdout as one side of a decision sees it, and what counts there at each threshold.

Rows come in groups whose labels are mostly equal, so that a thousand rows may say as little as a hundred. What counts
is Kish's effective size n = (sum S)^2 / sum S^2 over the groups' counts S, as if rows of a group were copies of each
other (Kish, "Survey Sampling", 1965; with it Korn and Graubard's interval, 1998). With one row a group, n is a plain
count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from training.evaluation.holdout_metrics import Bools, Floats, Scored
from training.evaluation.holdout_split import group_starts, one_of_each_group
from training.scorecard.bounds import Counts

SideName: TypeAlias = Literal["positive", "negative"]
Base: TypeAlias = Literal["trusted", "class"]
"""Among which rows a rate counts: those that are trusted, or all of the class that must not be trusted so."""
Unit: TypeAlias = Literal["entity", "answer"]
"""Whose rate it is: of one random answer of each entity, or of all answers."""
Numbers: TypeAlias = npt.NDArray[np.integer[Any]]
UNITS: Final[tuple[Unit, ...]] = ("entity", "answer")


@dataclass(frozen=True)
class SideRows:
    """Arrays of one length. A row is trusted at a threshold when its `score` is at or above it."""

    score: Floats
    """The probability; its negative on the negative side, where comparing is as exact."""
    wrong: Bools
    """Whether the row's label is the other one."""
    group: npt.NDArray[np.int64]
    stands: Bools
    """The one row of each group that counts where an entity counts once."""


def side_rows(scored: Scored, side: SideName) -> SideRows:
    """The holdout's rows as candidates for the decision `positive` or `negative`."""
    is_positive = side == "positive"
    score = scored.probability if is_positive else -scored.probability
    return SideRows(score, ~scored.label if is_positive else scored.label, scored.group, one_of_each_group(scored))


def counts(rows: SideRows, thresholds: Floats, base: Base, unit: Unit) -> Counts:
    """What counts at each threshold, and how much of it is wrongly trusted."""
    kept = rows.stands if unit == "entity" else np.ones(len(rows.score), np.bool_)
    if base == "class":
        kept = kept & rows.wrong
    score, wrong, group = rows.score[kept], rows.wrong[kept], rows.group[kept]
    order = np.argsort(-score, kind="stable")
    trusted = np.searchsorted(-score[order], -thresholds, side="right")
    wrongly = _up_to(wrong[order], trusted)
    if base == "class":
        n = np.full(len(thresholds), kish(np.unique(group, return_counts=True)[1]))
        return Counts(n, n * wrongly / max(len(score), 1))
    squares = _up_to(2 * _rank_in_group(group[order]) - 1, trusted)
    n = trusted.astype(np.float64) ** 2 / np.maximum(squares, 1)
    return Counts(n, n * wrongly / np.maximum(trusted, 1))


def kish(sizes: Numbers) -> float:
    """The effective number of rows of groups of these sizes."""
    total = float(sizes.sum())
    return total * total / float((sizes.astype(np.float64) ** 2).sum()) if total else 0.0


def _up_to(values: npt.NDArray[Any], ends: Numbers) -> Floats:
    """By end, the sum of the values before it."""
    sums: Floats = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return sums[ends]


def _rank_in_group(group: npt.NDArray[np.int64]) -> Floats:
    """The how-manieth of its group each row is, from 1. The sum of 2 x rank - 1 over a group is its size, squared."""
    order = np.argsort(group, kind="stable")
    in_order = group[order]
    first = np.maximum.accumulate(np.where(group_starts(in_order), np.arange(len(order)), 0))
    rank = np.empty(len(order), np.float64)
    rank[order] = np.arange(len(order)) - first + 1
    return rank
