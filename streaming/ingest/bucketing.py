"""Which bucket a question belongs to, for whole columns. Times are microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.records import OUTSIDE

MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000
HOUR_S = 3600


def buckets(as_of: pa.Array, due: pa.Array, append_time: pa.Array, length: timedelta, max_wait: timedelta) -> pa.Array:
    """The bucket of each question: its start in seconds, or OUTSIDE.

    A question goes to OUTSIDE if its `as_of` or `due` is NULL, or further than `max_wait` from its append time: a
    moment so far off shall open no bucket of its own.
    """
    length_s = length // timedelta(seconds=1)
    inside = _near(as_of, append_time, max_wait) & _near(due, append_time, max_wait)
    start_s = _microseconds(due) // SECOND_US // length_s * length_s
    return pa.array(np.where(inside, start_s, OUTSIDE), pa.int64())


def hours(append_time: pa.Array) -> pa.Array:
    """Each append time floored to the hour, in seconds."""
    return pa.array(_microseconds(append_time) // SECOND_US // HOUR_S * HOUR_S, pa.int64())


def _near(moment: pa.Array, append_time: pa.Array, max_wait: timedelta) -> Any:
    """Compares with bounds around the append time, since a difference could overflow where the moment is extreme."""
    stamp, value, reach = _microseconds(append_time), _microseconds(moment), max_wait // MICROSECOND
    known = np.asarray(pc.is_valid(moment))
    return known & (value >= stamp - reach) & (value <= stamp + reach)


def _microseconds(moments: pa.Array) -> Any:
    """A numpy array; NULL is 0."""
    return pc.fill_null(moments.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
