"""The bound of an AUC holds as often as it says, on drawn samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.evaluation.confidence_intervals import auc_standard_error, auc_upper_bound
from training.evaluation.holdout_metrics import auc


@pytest.mark.parametrize(("positives", "negatives", "shift"), [(30, 130, 0.7), (30, 30, 0.35), (200, 1000, 1.0)])
def test_the_true_auc_is_below_the_bound_in_about_95_of_100_samples(
    positives: int, negatives: int, shift: float
) -> None:
    random = np.random.default_rng(1)
    true = 0.5 * (1 + math.erf(shift / 2))  # of two normal distributions, `shift` standard deviations apart
    label = np.arange(positives + negatives) < positives
    below = 0
    for _ in range(1000):
        found = auc(random.normal(size=len(label)) + shift * label, label)
        assert found is not None
        below += true <= auc_upper_bound(found, positives, negatives)
    assert 920 <= below <= 985


def test_more_outcomes_are_more_certain() -> None:
    assert auc_standard_error(0.7, 300, 1300) < auc_standard_error(0.7, 30, 130) / 3
    assert auc_standard_error(1.0, 30, 30) == 0.0
