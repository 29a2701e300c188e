"""How certain a figure is."""

from __future__ import annotations

import math
from typing import Final

ONE_SIDED_95: Final = 1.645
"""The 95 % quantile of the normal distribution."""


def auc_standard_error(auc: float, positives: int, negatives: int) -> float:
    """The standard error of an AUC over so many outcomes of each class, at least one of each.

    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 143 (1982), formula 2.
    """
    two_positives, two_negatives = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (two_positives - auc**2) + (negatives - 1) * (two_negatives - auc**2)
    return math.sqrt(max(0.0, spread) / (positives * negatives))


def auc_upper_bound(auc: float, positives: int, negatives: int) -> float:
    """The AUC of the model is below this with 95 % confidence."""
    return min(1.0, auc + ONE_SIDED_95 * auc_standard_error(auc, positives, negatives))
