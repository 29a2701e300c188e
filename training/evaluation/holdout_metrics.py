"""Metrics of a model on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """The holdout with its predictions: arrays of one length, and the slices' levels by feature."""

    probability: Floats
    label: Bools
    partition: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    slices: dict[str, Sequence[str]]


def metrics(scored: Scored) -> dict[str, Any]:
    """auc, log_loss, rows, positives; and by slice and level auc (None with one class only), rows, positives."""
    return _overall(scored.probability, scored.label) | {
        "slices": {name: _by_level(scored, np.asarray(levels)) for name, levels in scored.slices.items()}
    }


def auc(probability: Floats, label: Bools) -> float | None:
    """Area under the ROC curve: the Mann-Whitney statistic, ties counting half; None with one class only."""
    positives, negatives = int(label.sum()), int((~label).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(probability, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[label].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def log_loss(probability: Floats, label: Bools) -> float:
    """Mean negative log likelihood in nats, probabilities clipped to [1e-15, 1 - 1e-15]."""
    clipped = np.clip(probability, 1e-15, 1 - 1e-15)
    return float(-np.mean(np.where(label, np.log(clipped), np.log1p(-clipped))))


def _overall(probability: Floats, label: Bools) -> dict[str, Any]:
    return {
        "auc": auc(probability, label),
        "log_loss": log_loss(probability, label),
        "rows": len(label),
        "positives": int(label.sum()),
    }


def _by_level(scored: Scored, levels: npt.NDArray[Any]) -> dict[str, Any]:
    found = {}
    for level in sorted(set(levels.tolist())):
        here = levels == level
        label = scored.label[here]
        found[level] = {
            "auc": auc(scored.probability[here], label),
            "rows": len(label),
            "positives": int(label.sum()),
        }
    return found
