"""What counts at a threshold: against the definitions, group by group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.scorecard.side_rows import SideRows, counts, kish

rows_strategy = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]), st.booleans(), st.integers(0, 6)), max_size=40
)
THRESHOLDS = np.array([np.inf, 0.9, 0.4, 0.1, -np.inf])


def side(rows: list[tuple[float, bool, int]]) -> SideRows:
    """The first row of each group stands for it."""
    group = np.array([group for _, _, group in rows], np.int64)
    stands = np.zeros(len(rows), bool)
    stands[np.unique(group, return_index=True)[1]] = True
    return SideRows(
        np.array([score for score, _, _ in rows], float), np.array([bad for _, bad, _ in rows], bool), group, stands
    )


def by_definition(sizes: list[int], wrong: int) -> tuple[float, float]:
    """(n, k): Kish's size of these groups' counts, and its share that is wrong."""
    total = sum(sizes)
    n = total**2 / sum(size**2 for size in sizes) if total else 0.0
    return n, n * wrong / total if total else 0.0


@given(rows_strategy)
def test_per_answer_the_trusted_rows_count_by_kishs_size(rows: list[tuple[float, bool, int]]) -> None:
    found = counts(side(rows), THRESHOLDS, "trusted", "answer")
    for at, threshold in enumerate(THRESHOLDS):
        trusted = [(bad, group) for score, bad, group in rows if score >= threshold]
        sizes = np.unique([group for _, group in trusted], return_counts=True)[1].tolist()
        n, k = by_definition(sizes, sum(bad for bad, _ in trusted))
        assert (found.n[at], found.k[at]) == pytest.approx((n, k))


@given(rows_strategy)
def test_per_entity_one_row_of_each_counts(rows: list[tuple[float, bool, int]]) -> None:
    given_rows = side(rows)
    found = counts(given_rows, THRESHOLDS, "trusted", "entity")
    for at, threshold in enumerate(THRESHOLDS):
        trusted = given_rows.stands & (given_rows.score >= threshold)
        assert found.n[at] == trusted.sum()
        assert found.k[at] == pytest.approx((trusted & given_rows.wrong).sum())


@given(rows_strategy)
def test_of_a_class_all_its_rows_count_at_every_threshold(rows: list[tuple[float, bool, int]]) -> None:
    found = counts(side(rows), THRESHOLDS, "class", "answer")
    of_class = [(score, group) for score, bad, group in rows if bad]
    sizes = np.unique([group for _, group in of_class], return_counts=True)[1].tolist()
    for at, threshold in enumerate(THRESHOLDS):
        n, k = by_definition(sizes, sum(score >= threshold for score, _ in of_class))
        assert (found.n[at], found.k[at]) == pytest.approx((n, k))


def test_copies_of_a_row_tell_no_more_than_the_row() -> None:
    assert kish(np.full(30, 7)) == pytest.approx(30)
    assert kish(np.array([100, 1, 1])) == pytest.approx(1.04, abs=0.01)
