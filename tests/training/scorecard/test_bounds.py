"""Bounds of rates: against exact arithmetic, and against each other."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.scorecard.bounds import Counts, interval, least_support, needed, p_value, upper_bound
from training.scorecard.incomplete_beta import incomplete_beta


def counts(n: float, k: float) -> Counts:
    return Counts(np.array([n], float), np.array([k], float))


def at_most(k: int, n: int, rate: Fraction) -> float:
    """P(at most k of n), exactly."""
    return float(sum(math.comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in range(k + 1)))


@given(st.integers(1, 400), st.data(), st.sampled_from([1, 2, 5, 20, 50]))
def test_with_whole_numbers_the_p_value_is_the_binomials(n: int, data: st.DataObject, percent: int) -> None:
    k = data.draw(st.integers(0, n - 1))
    exact = at_most(k, n, Fraction(percent, 100))
    assert p_value(counts(n, k), percent / 100)[0] == pytest.approx(exact, rel=1e-9, abs=1e-290)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (2.5, 7.25), (93.4, 3.7), (1000.5, 40.25)])
def test_between_whole_numbers_it_is_the_integral(a: float, b: float) -> None:
    steps = (np.arange(2_000_000) + 0.5) / 2_000_000
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    for x in (0.1, 0.5, 0.95, 0.98):
        at = steps[steps < x]
        found = incomplete_beta(np.array([a]), np.array([b]), np.array([x]))[0]
        integral = np.exp((a - 1) * np.log(at) + (b - 1) * np.log1p(-at) - log_beta).sum() / 2_000_000
        assert found == pytest.approx(integral, rel=2e-3, abs=1e-9)


def test_where_nothing_counts_nothing_is_shown() -> None:
    assert p_value(counts(0, 0), 0.05)[0] == 1.0
    assert upper_bound(counts(0, 0), 0.05)[0] == 1.0
    assert p_value(counts(7, 7), 0.05)[0] == 1.0
    assert interval(0, 0, 0.95) == (0.0, 1.0)


@given(st.floats(1, 1e6), st.floats(0, 0.9), st.sampled_from([0.01, 0.025, 0.05]))
def test_the_upper_bound_is_the_bound_that_just_passes(n: float, rate: float, level: float) -> None:
    at = float(upper_bound(counts(n, n * rate), level)[0])
    assert p_value(counts(n, n * rate), min(at * 1.001 + 1e-9, 1.0))[0] <= level
    assert p_value(counts(n, n * rate), at * 0.999)[0] > level


@pytest.mark.parametrize(
    ("bound", "level", "least"),
    [(0.05, 0.05, 59), (0.05, 0.025, 72), (0.02, 0.05, 149), (0.02, 0.025, 183), (0.01, 0.05, 299), (0.01, 0.025, 368)],
)
def test_the_least_support(bound: float, level: float, least: int) -> None:
    assert least_support(bound, level) == least == needed(bound, level, 0.0)
    assert p_value(counts(least, 0), bound)[0] <= level < p_value(counts(least - 1, 0), bound)[0]


@pytest.mark.parametrize(
    ("bound", "of_wrong"),
    [
        (0.05, {1: 93, 2: 124, 5: 208, 10: 336, 20: 577}),
        (0.02, {1: 236, 2: 313, 5: 523, 10: 845, 20: 1449}),
        (0.01, {1: 473, 2: 628, 5: 1049, 10: 1693, 20: 2902}),
    ],
)
def test_how_many_are_needed_when_some_are_wrong(bound: float, of_wrong: dict[int, int]) -> None:
    for wrong, least in of_wrong.items():
        assert p_value(counts(least, wrong), bound)[0] <= 0.05 < p_value(counts(least - 1, wrong), bound)[0]


def test_how_many_would_be_needed_at_a_rate() -> None:
    wanted = needed(0.05, 0.05, 0.036)
    assert wanted is not None
    assert p_value(counts(wanted, 0.036 * wanted), 0.05)[0] <= 0.05
    assert p_value(counts(wanted - 1, 0.036 * (wanted - 1)), 0.05)[0] > 0.05
    assert needed(0.05, 0.05, 0.05) is None
    assert needed(0.05, 0.05, 0.2) is None


def test_an_interval_of_a_share_is_that_of_clopper_and_pearson() -> None:
    low, high = interval(10, 3, 0.95)
    assert at_most(3, 10, Fraction(high)) == pytest.approx(0.025, rel=1e-6)
    assert 1 - at_most(2, 10, Fraction(low)) == pytest.approx(0.025, rel=1e-6)
