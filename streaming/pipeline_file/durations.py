"""Durations as the pipeline file writes them: a whole number and a unit, `90s`, `10m`, `8h`, `3w`."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST = timedelta(days=36_500)

_DURATION = re.compile(r"([0-9]{1,12}) ?([A-Za-z]+)")


def is_duration(text: str) -> bool:
    """Whether a text is meant as a duration (`3q` is, wrongly; `a + INTERVAL 3 MINUTES` is not)."""
    return re.fullmatch(r"\s*[0-9.]+\s*[A-Za-z]*\s*", text) is not None


def parse_duration(text: str) -> timedelta:
    """The duration that a text says.

    Raises:
        ValueError: with the units that there are.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a duration; write a whole number and a unit, such as "90s", "10m" or "3w"')
    if match[2] not in UNITS:
        raise ValueError(f'"{match[2]}" is not a unit of time; use one of {", ".join(UNITS)} ("m" is minutes)')
    return _bounded(int(match[1]), match[2], text)


def _bounded(number: int, unit: str, text: str) -> timedelta:
    if number > LONGEST / UNITS[unit]:
        raise ValueError(f'"{text}" is longer than a hundred years')
    return number * UNITS[unit]


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back; finer than milliseconds is cut off."""
    for unit in ("w", "d", "h", "m", "s"):
        if duration and duration % UNITS[unit] == timedelta(0):
            return f"{duration // UNITS[unit]}{unit}"
    return f"{duration // UNITS['ms']}ms" if duration else "0s"
