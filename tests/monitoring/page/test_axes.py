"""Axes hold what they show, on round lines, and fit a stack that started a minute ago."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.page.axes import SHORTEST_S, STEPS, Axis, fitted, time_axis

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(SHARES)
def test_an_axis_of_shares_holds_every_value_and_stays_between_0_and_1(values: list[float]) -> None:
    axis = fitted(values, 0.02, 0.0, 1.0)
    assert axis is not None
    assert -1e-9 <= axis.low <= min(values) + 1e-9
    assert max(values) - 1e-9 <= axis.high <= 1 + 1e-9
    assert axis.high - axis.low >= 0.08 - 1e-9


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_the_lines_of_an_axis_are_round(values: list[float]) -> None:
    axis = fitted(values, 0.5)
    assert axis is not None
    step = (axis.high - axis.low) / STEPS
    digits = f"{step:.6e}".partition("e")[0].rstrip("0")
    assert digits in ("1.", "2.", "2.5", "5.")
    assert axis.low / step == pytest.approx(round(axis.low / step))


@pytest.mark.parametrize(
    ("values", "axis"),
    [([0.71, 0.74, 0.7], Axis(0.7, 0.78)), ([0.99], Axis(0.92, 1.0)), ([0.6, 0.9], Axis(0.6, 1.0)), ([], None)],
)
def test_a_chart_of_auc_shows_where_the_figures_are(values: list[float], axis: Axis | None) -> None:
    found = fitted(values, 0.02, 0.0, 1.0)
    assert (found is None) == (axis is None)
    if found is not None and axis is not None:
        assert found.low == pytest.approx(axis.low)
        assert found.high == pytest.approx(axis.high)


def test_time_begins_with_the_first_point_and_is_an_hour_at_most() -> None:
    assert time_axis([], 10_000, 3600) == Axis(6400, 10_000), "nothing yet: the hour that will be"
    assert time_axis([9_990], 10_000, 3600) == Axis(10_000 - SHORTEST_S, 10_000)
    assert time_axis([9_000, 9_990], 10_000, 3600) == Axis(9_000, 10_000)
    assert time_axis([100, 9_000], 10_000, 3600) == Axis(9_000, 10_000), "what is older is not shown"
