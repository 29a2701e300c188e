"""What a reader has lost, from three offsets: where it stood, where it goes, and the first that is held."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.kafka.offset_gaps import Gap, gaps

P = ("t", 0)
OFFSETS = st.integers(0, 20)


@pytest.mark.parametrize(
    ("start", "end", "first", "lost"),
    [
        (10, 20, 5, []),
        (10, 20, 10, []),
        (10, 20, 15, [Gap(P, 10, 15, 15)]),
        (10, 12, 15, [Gap(P, 10, 15, 12)]),  # the rest is lost on the way from 12
        (10, 10, 10, []),
        (10, 4, 0, [Gap(P, 10, 0, None)]),
        (10, 0, 0, [Gap(P, 10, 0, None)]),
    ],
)
def test_what_is_lost_between_two_offsets(start: int, end: int, first: int, lost: list[Gap]) -> None:
    assert gaps({P: start}, {P: end}, {P: first}) == lost


def test_a_partition_that_one_side_does_not_know_has_lost_nothing() -> None:
    assert gaps({P: 1}, {P: 9}, {}) == gaps({}, {P: 9}, {P: 5}) == gaps({P: 1}, {}, {P: 5}) == []


@given(st.lists(OFFSETS, min_size=2, max_size=6).map(sorted), OFFSETS)
def test_what_several_batches_lose_is_what_one_would_have_lost(ends: list[int], first: int) -> None:
    """Each offset is counted once, however the way is cut into batches."""
    found = [gap for a, b in pairwise(ends) for gap in gaps({P: a}, {P: b}, {P: first})]
    counted = [offset for gap in found for offset in range(gap.start, gap.until or 0)]
    assert counted == list(range(ends[0], min(first, ends[-1])))
