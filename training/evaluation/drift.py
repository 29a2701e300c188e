"""Whether a feature is distributed otherwise than it used to be: the population stability index, held against its past.

A fixed limit such as 0.2 is wrong at most sizes: of equal distributions the index grows with the number of bins and
falls with the number of rows, rows of one entity are alike, and hours differ. So the index of a window is compared with
that of many earlier windows of the same length, each against all the others.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from training.evaluation.holdout_metrics import Floats

Codes = npt.NDArray[np.int64]

NUMBER_BINS: Final = 10
MOST_LEVELS: Final = 18
"""Besides them there are a bin for all other levels, and one for NULL."""
RAREST: Final = 0.01
"""A level with a smaller share counts among the other ones."""
FLOOR: Final = 0.1
"""By so much the index must be above its median: a shift of about a third of a standard deviation."""
DEVIATIONS: Final = 4.0
MAD_TO_DEVIATION: Final = 1.4826
FEWEST_BEFORE: Final = 12
"""With fewer windows before, nobody knows what is usual."""


def binned(values: pa.Array) -> Codes:
    """Each value's bin: 0 for NULL, deciles of numbers, the frequent levels of texts and booleans."""
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        return _deciles(values)
    return _levels(values)


def _deciles(values: pa.Array) -> Codes:
    numbers = np.asarray(pc.fill_null(values.cast(pa.float64(), safe=False), np.nan), np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        return np.zeros(len(numbers), np.int64)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, NUMBER_BINS + 1)[1:-1]))
    return np.where(known, 1 + np.searchsorted(edges, numbers, "left"), 0).astype(np.int64)


def _levels(values: pa.Array) -> Codes:
    encoded = pc.dictionary_encode(values)
    numbers = np.asarray(pc.fill_null(encoded.indices, -1), np.int64)
    counts = np.bincount(numbers[numbers >= 0], minlength=len(encoded.dictionary))
    frequent = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    frequent = frequent[counts[frequent] >= RAREST * len(numbers)]
    bins = np.full(len(counts) + 1, 1)
    bins[frequent] = 2 + np.arange(len(frequent))
    bins[-1] = 0  # the number of NULL is -1
    return bins[numbers]


def counted(windows: Codes, codes: Codes, window_count: int) -> Floats:
    """Rows by window and bin; `windows` is each row's window, from 0 to `window_count` - 1."""
    bins = int(codes.max(initial=0)) + 1
    counts = np.bincount(windows * bins + codes, minlength=window_count * bins)
    return counts.reshape(window_count, bins).astype(np.float64)


def stability_indexes(counts: Floats) -> Floats:
    """Of each window against all the others: the sum over bins of (p - q) ln(p / q).

    Half a row is added to each bin, so that an empty one is no division by 0. Source: Yurdakul, "Statistical properties
    of the population stability index" (2018).
    """
    others = counts.sum(axis=0) - counts
    p, q = (_shares(each + 0.5) for each in (counts, others))
    found: Floats = ((p - q) * np.log(p / q)).sum(axis=1)
    return found


def _shares(counts: Floats) -> Floats:
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares


def has_drifted(indexes: Floats) -> bool:
    """Whether both of the last two windows stand out; the indexes are in the order of time.

    Standing out is to be above the median of the windows before by `FLOOR` and by `DEVIATIONS` standard deviations,
    estimated from the MAD. Twice running, since one window alone stands out by chance too often.
    """
    before, last = indexes[:-2], indexes[-2:]
    if len(before) < FEWEST_BEFORE:
        return False
    middle = np.median(before)
    spread = MAD_TO_DEVIATION * np.median(np.abs(before - middle))
    return bool((last - middle > max(FLOOR, DEVIATIONS * spread)).all())
