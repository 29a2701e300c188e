"""Drift: what shifts is found, what only wanders by chance is not, and the index is that of its formula."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from training.evaluation.drift import FEWEST_BEFORE, MOST_LEVELS, binned, counted, has_drifted, stability_indexes
from training.evaluation.holdout_metrics import Floats

WINDOWS, ROWS = 50, 1000


def indexes(values: pa.Array, windows: int = WINDOWS) -> Floats:
    rows = len(values) // windows
    return stability_indexes(counted(np.repeat(np.arange(windows), rows), binned(values), windows))


def wandering(random: np.random.Generator) -> Floats:
    """Rows of entities, five each, in windows whose mean wanders by a tenth of a standard deviation."""
    middle = np.repeat(0.1 * random.normal(size=WINDOWS), ROWS)
    return np.repeat(random.normal(size=WINDOWS * ROWS // 5), 5) + middle


def test_the_index_is_that_of_its_formula() -> None:
    counts = np.array([[10.0, 30.0], [20.0, 20.0], [0.0, 40.0]])
    p, q = (10.5 / 41, 30.5 / 41), (20.5 / 81, 60.5 / 81)
    expected = sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert stability_indexes(counts)[0] == pytest.approx(expected)


def test_windows_that_only_wander_do_not_drift() -> None:
    random = np.random.default_rng(1)
    assert sum(has_drifted(indexes(pa.array(wandering(random)))) for _ in range(100)) <= 1


@pytest.mark.parametrize(("windows", "is_drift"), [(1, False), (2, True)])
def test_a_shift_of_six_tenths_of_a_deviation_counts_once_it_lasts_two_windows(windows: int, is_drift: bool) -> None:
    random, found = np.random.default_rng(2), 0
    for _ in range(20):
        values = wandering(random)
        values[-windows * ROWS :] += 0.6
        found += has_drifted(indexes(pa.array(values)))
    assert found >= 16 if is_drift else found == 0


def test_new_levels_lost_values_and_another_mix_are_drift() -> None:
    random = np.random.default_rng(3)
    usual = random.choice(["JFK", "EWR", "LGA"], WINDOWS * ROWS)
    late = np.arange(len(usual)) >= (WINDOWS - 2) * ROWS
    assert not has_drifted(indexes(pa.array(usual.tolist())))
    assert has_drifted(indexes(pa.array(np.where(late & (random.random(len(usual)) < 0.5), "XXX", usual).tolist())))
    is_lost = late & (random.random(len(usual)) < 0.3)
    assert has_drifted(indexes(pa.array(usual.tolist(), mask=is_lost)))
    flags = random.random(len(usual)) < np.where(late, 0.5, 0.2)
    assert has_drifted(indexes(pa.array(flags.tolist())))


def test_without_a_past_nothing_is_told() -> None:
    shifted = np.array([0.0] * (FEWEST_BEFORE - 1) + [9.0, 9.0])
    assert not has_drifted(shifted)
    assert has_drifted(np.concatenate(([0.0], shifted)))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([None] * 40, pa.float64()),
        pa.array([math.nan, math.inf, None, 1.0] * 10),
        pa.array([5] * 40),
        pa.array([f"only {n}" for n in range(40)]),
        pa.array([None] * 40, pa.string()),
        pa.array([2**62, -(2**62)] * 20),
    ],
)
def test_values_of_any_kind_have_a_few_bins(values: pa.Array) -> None:
    codes = binned(values)
    assert len(codes) == len(values)
    assert codes.min() >= 0
    assert codes.max() <= MOST_LEVELS + 1
    assert np.isfinite(indexes(values, 4)).all()


def test_null_is_a_bin_of_its_own() -> None:
    codes = binned(pa.array(["a", None, "a", "b", None]))
    assert (codes == 0).tolist() == [False, True, False, False, True]
    assert codes[0] == codes[2] != codes[3]
