"""Moments: whole microseconds since 1970 UTC inside (floats of seconds are not exact), RFC 3339 text outside."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_US: Final = -62_135_596_800_000_000
"""The beginning of the year 1."""
END_US: Final = 253_402_300_800_000_000
"""The end of the year 9999."""

_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of a moment with an offset."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """The moment in UTC.

    Raises:
        OverflowError: the moment lies before the year 1 or after 9999.
    """
    return EPOCH + timedelta(microseconds=us)


def clock_us() -> int:
    """Now in microseconds, rounded down to the millisecond: an answer states its moment in milliseconds."""
    return time.time_ns() // 1_000_000 * 1000


def rfc3339(moment: datetime, digits: str = "milliseconds") -> str:
    """The text of a moment with an offset, in UTC with `Z`; `digits` as `datetime.isoformat` calls them."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def rfc3339_of_us(us: int) -> str:
    """The text in UTC with milliseconds, rounded down. The moment must lie in the years 1 to 9999."""
    return rfc3339(from_us(us))


def exact_rfc3339(us: int) -> str:
    """As `rfc3339_of_us`, with microseconds where the moment has any: features can be evaluated again from it."""
    return rfc3339(from_us(us), "microseconds" if us % 1000 else "milliseconds")


def parse_us(text: str) -> int:
    """The microseconds of a moment in RFC 3339 or in decimal epoch milliseconds; finer digits are dropped.

    Raises:
        ValueError: the text is neither, or the moment lies outside the years 1 to 9999.
    """
    if re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        return _within(int(text) * 1000)
    match = _RFC_3339.fullmatch(text)
    if not match:
        raise ValueError("neither RFC 3339 nor epoch milliseconds")
    day, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    return _within(to_us(moment) + int((fraction or "").ljust(6, "0")[:6]))


def _within(us: int) -> int:
    if not FIRST_US <= us < END_US:
        raise ValueError("outside the years 1 to 9999")
    return us
