"""Moments: whole microseconds since 1970 UTC inside (floats of seconds are not exact), RFC 3339 text outside."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_US: Final = -62_135_596_800_000_000
"""The beginning of the year 1."""
END_US: Final = 253_402_300_800_000_000
"""The end of the year 9999."""

_MINUTE_US: Final = 60_000_000
_DAY_US: Final = 86_400_000_000
_YEARS_400: Final = 146_097
"""Days in 400 years, after which the calendar repeats itself."""

_RFC_3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


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

    Reads RFC 3339 exactly as the native decoder reads it in a record: a second 60 (a leap second) counts as 59.

    Raises:
        ValueError: the text is neither, or the moment lies outside the years 1 to 9999.
    """
    if re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        return _within(int(text) * 1000)
    match = _RFC_3339.fullmatch(text)
    if not match:
        raise ValueError("neither RFC 3339 nor epoch milliseconds")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction, sign, zone_hours, zone_minutes = match.groups()[6:]
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("no time of day")
    minutes = hour * 60 + minute - _offset_minutes(sign, int(zone_hours or 0), int(zone_minutes or 0))
    us = min(second, 59) * 1_000_000 + int((fraction or "").ljust(6, "0")[:6])
    return _within(_days(year, month, day) * _DAY_US + minutes * _MINUTE_US + us)


def _offset_minutes(sign: str | None, hours: int, minutes: int) -> int:
    if hours > 23 or minutes > 59:
        raise ValueError("no offset from UTC")
    return -(hours * 60 + minutes) if sign == "-" else hours * 60 + minutes


def _days(year: int, month: int, day: int) -> int:
    """Since 1970. `date` has no year 0, which an offset may move into the year 1: it is counted as the year 400."""
    shift = 0 if year else _YEARS_400
    return date(year or 400, month, day).toordinal() - shift - EPOCH.toordinal()


def _within(us: int) -> int:
    if not FIRST_US <= us < END_US:
        raise ValueError("outside the years 1 to 9999")
    return us
