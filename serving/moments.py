"""Moments as text and numbers: microseconds since 1970 UTC inside, RFC 3339 outside."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US: Final = -62_135_596_800_000_000  # 0001-01-01
_END_US: Final = 253_402_300_800_000_000  # 10000-01-01
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def rfc3339(moment_us: int) -> str:
    """UTC with milliseconds (rounded down), of a moment of the years 1 to 9999: decoding lets no other through."""
    return _text(moment_us, "milliseconds")


def exact_rfc3339(moment_us: int) -> str:
    """The same, but with microseconds where the moment has any: from it, features can be evaluated again."""
    return _text(moment_us, "microseconds" if moment_us % 1000 else "milliseconds")


def clock_us() -> int:
    """Now, to the millisecond: what an answer says of its moment is then all of it."""
    return time.time_ns() // 1_000_000 * 1000


def _text(moment_us: int, digits: str) -> str:
    moment = _EPOCH + timedelta(microseconds=moment_us)
    return moment.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def microseconds(text: str) -> int:
    """A moment in RFC 3339, or decimal epoch milliseconds; digits below a microsecond are dropped.

    Raises:
        ValueError: it is neither, or names no moment of the years 1 to 9999.
    """
    if re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        return _within(int(text) * 1000)
    match = _RFC_3339.fullmatch(text)
    if not match:
        raise ValueError("neither RFC 3339 nor epoch milliseconds")
    day, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    return _within((moment - _EPOCH) // timedelta(microseconds=1) + int((fraction or "").ljust(6, "0")[:6]))


def _within(moment_us: int) -> int:
    if not _FIRST_US <= moment_us < _END_US:
        raise ValueError("outside the years 1 to 9999")
    return moment_us
