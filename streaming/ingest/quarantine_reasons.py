"""Why questions are in the bucket OUTSIDE, for whole columns: what a producer has most likely done wrong."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contract.records import OUTSIDE, QUARANTINE_REASONS

NEVER_BEFORE_US = 315_532_800_000_000
"""1980: seconds since 1970 that are read as milliseconds give a moment in January or February of 1970."""


def quarantine_reasons(events: pa.RecordBatch) -> Counter[str]:
    """Reason -> questions, of records with `as_of`, `due`, `append_time` and `bucket`; one reason a question.

    Where both moments are known and the later years, the one that is to blame is `as_of` if it lies further from the
    append time than `due` lies from it.
    """
    outside = events.filter(pc.equal(events["bucket"], OUTSIDE))
    as_of, due, append = (_microseconds(outside[name]) for name in ("as_of", "due", "append_time"))
    conditions = [
        np.asarray(pc.is_null(outside["as_of"])),
        np.asarray(pc.is_null(outside["due"])),
        as_of < NEVER_BEFORE_US,
        np.abs(due - as_of) >= np.abs(as_of - append),
        as_of < append,
    ]
    reason = np.select(conditions, range(len(conditions)), default=len(conditions))
    counts = np.bincount(reason.astype(int), minlength=len(QUARANTINE_REASONS)).tolist()
    return Counter({name: count for name, count in zip(QUARANTINE_REASONS, counts, strict=True) if count})


def _microseconds(moments: pa.Array) -> npt.NDArray[np.float64]:
    """As floats: differences of extreme moments would overflow as integers. NULL is 0."""
    return np.asarray(pc.fill_null(moments.cast(pa.int64()), 0), np.float64)
