"""Medians of delays that are counted in bins, and shown for each host over the last minutes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from streaming.ingest.clock_offsets import ClockOffsets
from streaming.ingest.delay_bins import bin_of, delay_us_of, median_us

YEAR_US = 31_536_000_000_000


@given(st.lists(st.integers(-YEAR_US, YEAR_US), min_size=1, max_size=30))
def test_the_median_is_within_five_percent_or_a_millisecond_of_the_true_one(delays_us: list[int]) -> None:
    true = sorted(delays_us)[(len(delays_us) - 1) // 2]
    found = median_us(Counter(bin_of(np.array(delays_us, np.int64)).tolist()))
    assert found == pytest.approx(true, rel=0.06, abs=1000)


def test_bins_are_ordered_as_the_delays_are() -> None:
    delays_us = np.array([-(10**9), -2000, -1000, -999, 0, 999, 1000, 1099, 5000, 10**9])
    bins = bin_of(delays_us).tolist()
    assert bins == sorted(bins)
    assert [delay_us_of(number) for number in sorted(set(bins))] == sorted(delay_us_of(number) for number in set(bins))


def shown(host: str) -> float | None:
    return REGISTRY.get_sample_value("hotpath_clock_median_offset_seconds", {"pipeline": "bins", "host": host})


def test_the_median_of_the_last_minutes_is_shown_and_goes_with_its_host() -> None:
    clocks = ClockOffsets("bins")
    second = str(bin_of(np.array([1_000_000]))[0])
    hour = str(bin_of(np.array([3_600_000_000]))[0])
    clocks.add({"a": 1}, {}, {"a": {second: 3}}, now_s=0)
    clocks.add({"a": 1, "b": 1}, {}, {"a": {hour: 4}, "b": {hour: 1}}, now_s=100)
    assert shown("a") == pytest.approx(3600, rel=0.05)
    clocks.add({"a": 1}, {}, {"a": {second: 5}}, now_s=101)
    assert shown("a") == pytest.approx(1, rel=0.05)
    clocks.add({"a": 1}, {}, {"a": {second: 1}}, now_s=285)
    assert shown("a") == pytest.approx(1, rel=0.05)
    assert shown("b") is None, "nothing of it is left in the last minutes"
