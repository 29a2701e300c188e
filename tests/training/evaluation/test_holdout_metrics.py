"""Metrics of a model: against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.holdout_metrics import Scored, Slice, auc, log_loss, metrics

scores = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40)


@given(scores)
def test_auc_is_the_share_of_pairs_in_the_right_order_ties_counting_half(pairs: list[tuple[float, bool]]) -> None:
    positives = [p for p, label in pairs if label]
    negatives = [p for p, label in pairs if not label]
    found = auc(np.array([p for p, _ in pairs]), np.array([label for _, label in pairs]))
    if not positives or not negatives:
        assert found is None
        return
    wins = sum((p > n) + (p == n) / 2 for p in positives for n in negatives)
    assert found == pytest.approx(wins / (len(positives) * len(negatives)))


def test_log_loss_of_a_coin_is_ln_2() -> None:
    assert log_loss(np.full(10, 0.5), np.arange(10) % 2 == 0) == pytest.approx(np.log(2))


def test_log_loss_of_a_certain_error_is_finite() -> None:
    assert np.isfinite(log_loss(np.array([0.0, 1.0]), np.array([True, False])))
    assert log_loss(np.array([0.0]), np.array([True])) == pytest.approx(-np.log(1e-15))


def test_slices_count_their_rows_and_a_slice_of_one_class_has_no_auc() -> None:
    probability, label = np.array([0.1, 0.9, 0.3]), np.array([False, True, False])
    numbers = np.arange(3)
    origin = Slice(["JFK", "LGA"], np.array([0, 0, 1]))
    found = metrics(Scored(probability, label, numbers, numbers, numbers, numbers, {"origin": origin}))
    assert found["auc"] == 1.0
    assert found["slices"]["origin"] == {
        "JFK": {"auc": 1.0, "rows": 2, "positives": 1},
        "LGA": {"auc": None, "rows": 1, "positives": 0},
    }


def test_a_missing_level_counts_as_an_empty_one_and_a_long_one_takes_no_more_room() -> None:
    long = "x" * 5_000_000
    each = Slice(["", long], np.array([-1, 0, 1] * 1000))
    numbers = np.arange(3000)
    found = metrics(Scored(numbers / 3000, numbers % 2 == 0, numbers, numbers, numbers, numbers, {"tail": each}))
    assert {level: figures["rows"] for level, figures in found["slices"]["tail"].items()} == {"": 2000, long: 1000}
