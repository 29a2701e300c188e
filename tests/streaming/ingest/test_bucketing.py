"""A question's bucket is its `due`, floored; a moment out of bounds opens no bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from contract.records import OUTSIDE, TIMESTAMP
from streaming.ingest.bucketing import buckets, hours

NOW = datetime(2026, 3, 2, 12, 0, 7, tzinfo=UTC)
MINUTE, MAX_WAIT = timedelta(minutes=1), timedelta(minutes=20)


def bucket(as_of: datetime | None, due: datetime | None) -> int:
    found: int = buckets(moments(as_of), moments(due), moments(NOW), MINUTE, MAX_WAIT)[0].as_py()
    return found


def moments(*those: datetime | None) -> pa.Array:
    return pa.array(those, TIMESTAMP)


def test_a_bucket_starts_at_the_floor_of_due() -> None:
    assert bucket(NOW, NOW + timedelta(seconds=100)) == int(datetime(2026, 3, 2, 12, 1, tzinfo=UTC).timestamp())


def test_the_bounds_themselves_are_inside() -> None:
    assert bucket(NOW - MAX_WAIT, NOW + MAX_WAIT) != OUTSIDE


@pytest.mark.parametrize(
    ("as_of", "due"),
    [
        (NOW, None),
        (None, NOW),
        (NOW, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (NOW, datetime(1, 1, 1, tzinfo=UTC)),
        (NOW - timedelta(hours=3), NOW),
        (NOW + timedelta(hours=3), NOW + timedelta(hours=3)),
        (NOW, NOW + MAX_WAIT + timedelta(microseconds=1)),
    ],
)
def test_null_far_and_absurd_moments_are_outside(as_of: datetime | None, due: datetime | None) -> None:
    assert bucket(as_of, due) == OUTSIDE


def test_the_most_extreme_integers_do_not_overflow_into_a_bucket() -> None:
    extremes = pa.array([2**63 - 1, -(2**63) + 1], pa.int64()).cast(TIMESTAMP)
    stamps = pa.array([NOW, NOW], TIMESTAMP)
    assert buckets(stamps, extremes, stamps, MINUTE, MAX_WAIT).to_pylist() == [OUTSIDE, OUTSIDE]


def test_an_append_hour_is_the_hours_start() -> None:
    assert hours(pa.array([NOW], TIMESTAMP)).to_pylist() == [int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp())]
