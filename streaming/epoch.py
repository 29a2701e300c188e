"""Moments as whole microseconds since 1970, exact where floats of seconds are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of a moment with an offset."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """The moment in UTC.

    Raises:
        OverflowError: before the year 1 or after 9999.
    """
    return EPOCH + timedelta(microseconds=us)
