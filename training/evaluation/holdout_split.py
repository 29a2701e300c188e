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
    first = _hash_of_group(scored)
    calibrate = _mixed(first) % np.uint64(3) != 0
    return scored.rows(~calibrate), scored.rows(calibrate)


def one_of_each_group(scored: Scored) -> Bools:
    """One row of each group, by a seeded hash of its event: as good as random, and the same whenever it is asked."""
    hashes = row_hashes(scored)
    order = np.lexsort((hashes, scored.group))
    sorted_groups = scored.group[order]
    is_first = np.concatenate([[True], sorted_groups[1:] != sorted_groups[:-1]]) if len(order) else order.astype(bool)
    chosen = np.zeros(len(order), np.bool_)
    chosen[order[is_first]] = True
    return chosen


def row_hashes(scored: Scored) -> Hashes:
    """64 bits a row, of its event's identity."""
    mixed = np.full(len(scored.label), SEED, np.uint64)
    for part in (scored.partition, scored.offset, scored.append_us):
        mixed = _mixed(mixed ^ part.astype(np.uint64))
    return mixed


def _hash_of_group(scored: Scored) -> Hashes:
    """For each row the smallest hash among the rows of its group."""
    _, number = np.unique(scored.group, return_inverse=True)
    smallest = np.full(int(number.max()) + 1 if len(number) else 0, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, number, row_hashes(scored))
    return smallest[number]


def _mixed(values: Hashes) -> Hashes:
    """SplitMix64's finaliser: every bit of the input changes half of the bits of the output.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
