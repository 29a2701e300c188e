"""The holdout in two parts that share no group: *compare* decides about a candidate, *calibrate* tests its thresholds.

Rows that have decided anything about a model cannot give a guarantee about it as well, so calibrate rows decide
nothing: not which candidate is proposed, not where a search for thresholds begins.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from training.evaluation.holdout_metrics import Bools, Scored

SEED: Final = 20_261_128
"""Of the hash that splits."""

Hashes: TypeAlias = npt.NDArray[np.uint64]


def split(scored: Scored, is_calibrated: bool) -> tuple[Scored, Scored]:
    """(compare, calibrate): a third and two thirds of the groups, by a seeded hash; all is compare where nothing is
    calibrated.

    A group's hash is made of the events of its rows, never of a score or a label. So a group stays on its side from one
    holdout to the next, as long as the row with the smallest hash stays in it.
    """
    if not is_calibrated:
        nothing = np.zeros(len(scored.label), np.bool_)
        return scored, scored.rows(nothing)
    number, smallest = hashes_of_groups(scored)
    calibrate = (_mixed(smallest) % np.uint64(3) != 0)[number]
    return scored.rows(~calibrate), scored.rows(calibrate)


def one_of_each_group(scored: Scored) -> Bools:
    """One row of each group, by a seeded hash of its event: as good as random, and the same whenever it is asked."""
    hashes = row_hashes(scored)
    order = np.lexsort((hashes, scored.group))
    sorted_groups = scored.group[order]
    chosen = np.zeros(len(order), np.bool_)
    chosen[order[group_starts(sorted_groups)]] = True
    return chosen


def group_starts(groups: npt.NDArray[np.int64]) -> Bools:
    """Which rows are the first of their group, where the rows of a group stand together."""
    return np.concatenate([np.ones(min(len(groups), 1), np.bool_), groups[1:] != groups[:-1]])


def row_hashes(scored: Scored) -> Hashes:
    """64 bits a row, of its event's identity."""
    mixed = np.full(len(scored.label), SEED, np.uint64)
    for part in (scored.partition, scored.offset, scored.append_us):
        mixed = _mixed(mixed ^ part.astype(np.uint64))
    return mixed


def hashes_of_groups(scored: Scored) -> tuple[npt.NDArray[np.intp], Hashes]:
    """(each row's group as a number from 0 on, by that number the smallest hash among the group's rows)."""
    groups, number = np.unique(scored.group, return_inverse=True)
    smallest = np.full(len(groups), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, number, row_hashes(scored))
    return number, smallest


def _mixed(values: Hashes) -> Hashes:
    """SplitMix64's finaliser: every bit of the input changes half of the bits of the output.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
