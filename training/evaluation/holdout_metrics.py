"""Metrics of a model on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """A categorical feature of the holdout: its levels, and each row's number in them; -1 where it is missing."""

    levels: Sequence[str]
    codes: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """The holdout with its predictions: arrays of one length, and the slices by feature.

    `group` numbers the rows' groups, which resampling and splits keep whole. `partition`, `offset` and `append_us`
    (microseconds since 1970) are the identity of a row's event.
    """

    probability: Floats
    label: Bools
    group: npt.NDArray[np.int64]
    partition: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    append_us: npt.NDArray[np.int64]
    slices: dict[str, Slice]

    def rows(self, which: Bools) -> Scored:
        """These rows alone."""
        arrays = ("probability", "label", "group", "partition", "offset", "append_us")
        slices = {name: Slice(each.levels, each.codes[which]) for name, each in self.slices.items()}
        return replace(self, slices=slices, **{name: getattr(self, name)[which] for name in arrays})


def metrics(scored: Scored) -> dict[str, Any]:
    """auc, log_loss, rows, positives; and by slice and level auc (None with one class only), rows, positives."""
    return _overall(scored.probability, scored.label) | {
        "slices": {name: _by_level(scored, each) for name, each in scored.slices.items()}
    }


def auc(probability: Floats, label: Bools) -> float | None:
    """Area under the ROC curve: the Mann-Whitney statistic, ties counting half; None with one class only."""
    return auc_of_sorted(np.sort(probability[label]), np.sort(probability[~label]))


def auc_of_sorted(positives: Floats, negatives: Floats) -> float | None:
    """The same of each class's probabilities, sorted."""
    pairs = len(positives) * len(negatives)
    return twice_pairs_won(positives, negatives) / 2 / pairs if pairs else None


def twice_pairs_won(positives: Floats, negatives: Floats) -> int:
    """Over all pairs of a positive and a negative, each class sorted: 2 where the positive is higher, 1 for a tie.

    Exact, and hence the same in whatever parts it is summed up.
    """
    if len(positives) <= len(negatives):
        return sum(_twice_below(negatives, part) for part in _parts(positives))
    all_pairs = 2 * len(positives) * len(negatives)
    return all_pairs - sum(_twice_below(positives, part) for part in _parts(negatives))


def _twice_below(scores: Floats, bounds: Floats) -> int:
    """Over all bounds: 2 for each score below it, 1 for each that is equal."""
    return int(np.searchsorted(scores, bounds, "left").sum() + np.searchsorted(scores, bounds, "right").sum())


def _parts(scores: Floats, length: int = 100_000) -> Iterator[Floats]:
    """Slices, so that what is computed of each needs little memory."""
    return (scores[start : start + length] for start in range(0, len(scores), length))


def log_loss(probability: Floats, label: Bools) -> float:
    """Mean negative log likelihood in nats, probabilities clipped to [1e-15, 1 - 1e-15]."""
    return summed_log_loss(probability[label], probability[~label]) / len(label)


def summed_log_loss(positives: Floats, negatives: Floats) -> float:
    """The sum of the same over the probabilities of both classes."""
    return float(-np.log(clipped(positives)).sum() - np.log1p(-clipped(negatives)).sum())


def clipped(probability: Floats) -> Floats:
    """Away from 0 and 1, whose logarithm would be infinite."""
    return np.clip(probability, 1e-15, 1 - 1e-15)


def _overall(probability: Floats, label: Bools) -> dict[str, Any]:
    return {
        "auc": auc(probability, label),
        "log_loss": log_loss(probability, label),
        "rows": len(label),
        "positives": int(label.sum()),
    }


def _by_level(scored: Scored, each: Slice) -> dict[str, Any]:
    """By level, in order; where it is missing it counts as the level ''."""
    codes_of: dict[str, list[int]] = {}
    for code in np.unique(each.codes).tolist():
        codes_of.setdefault(each.levels[code] if code >= 0 else "", []).append(code)
    found = {}
    for level, codes in sorted(codes_of.items()):
        here = np.isin(each.codes, codes)
        label = scored.label[here]
        found[level] = {
            "auc": auc(scored.probability[here], label),
            "rows": len(label),
            "positives": int(label.sum()),
        }
    return found
