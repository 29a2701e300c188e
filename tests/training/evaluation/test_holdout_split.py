"""The two parts of a holdout: no group in both, a third and two thirds, and the same whenever it is asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.evaluation.holdout_metrics import Scored, Slice
from training.evaluation.holdout_split import one_of_each_group, split


def holdout(groups: int = 3000, seed: int = 1) -> Scored:
    """Groups of one to eight rows, in no order."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(groups), rng.integers(1, 9, groups)))
    rows = len(group)
    origin = Slice(["JFK", "LGA"], rng.integers(-1, 2, rows))
    offset, append_us = rng.permutation(rows), rng.integers(0, 10**15, rows)
    return Scored(
        rng.random(rows), rng.random(rows) < 0.3, group, rng.integers(0, 4, rows), offset, append_us, {"origin": origin}
    )


def test_no_group_is_in_both_parts_and_every_row_in_one() -> None:
    whole = holdout()
    compare, calibrate = split(whole, True)
    assert not set(compare.group) & set(calibrate.group)
    together = np.sort(np.concatenate([compare.offset, calibrate.offset]))
    assert (together == np.sort(whole.offset)).all()
    assert len(compare.slices["origin"].codes) == len(compare.label)


def test_a_third_of_the_groups_compares_and_large_groups_are_not_preferred() -> None:
    compare, calibrate = split(holdout(30_000), True)
    groups, others = len(np.unique(compare.group)), len(np.unique(calibrate.group))
    assert groups / (groups + others) == pytest.approx(1 / 3, abs=0.01)
    assert len(compare.group) / groups == pytest.approx(len(calibrate.group) / others, rel=0.02)


def test_neither_order_nor_scores_nor_labels_nor_the_numbers_of_the_groups_move_a_group() -> None:
    whole = holdout()
    compare, _ = split(whole, True)
    shuffled = replace(whole, probability=1 - whole.probability, label=~whole.label, group=10**6 - whole.group)
    order = np.random.default_rng(2).permutation(len(whole.label))
    moved = replace(
        shuffled, slices={}, **{name: getattr(shuffled, name)[order] for name in vars(shuffled) if name != "slices"}
    )
    again, _ = split(moved, True)
    assert set(again.offset) == set(compare.offset)


def test_without_tolerances_the_whole_holdout_compares() -> None:
    whole = holdout(100)
    compare, calibrate = split(whole, False)
    assert compare is whole
    assert len(calibrate.label) == 0


def test_one_row_stands_for_each_group_and_each_row_of_it_is_as_likely() -> None:
    whole = holdout(4000)
    chosen = one_of_each_group(whole)
    assert sorted(whole.group[chosen]) == sorted(set(whole.group))
    sizes = np.bincount(whole.group)[whole.group]
    of_eight = sizes == 8
    place = np.zeros(len(chosen))
    for group in np.unique(whole.group[of_eight]):
        place[whole.group == group] = np.arange(8)
    counts = np.bincount(place[of_eight & chosen].astype(int), minlength=8)
    assert counts.min() > 0.6 * counts.mean(), "the row's place in its group decides nothing"


def test_a_holdout_without_rows_has_two_empty_parts() -> None:
    empty = holdout(10).rows(np.zeros(len(holdout(10).label), bool))
    compare, calibrate = split(empty, True)
    assert len(compare.label) == len(calibrate.label) == 0
    assert not one_of_each_group(empty).any()
