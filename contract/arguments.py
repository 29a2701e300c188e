"""Numbers on a command line: each kind refuses what is none in words. Standard library only."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Callable

MOST = 10**9


def whole_number_from(least: int) -> Callable[[str], int]:
    """For argparse: a whole number that is not below `least`."""

    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,10}", text) and least <= int(text) <= MOST:
            return int(text)
        raise ArgumentTypeError(f"{text!r}: it must be a whole number from {least} to {MOST}")

    return read


def number_above_0(text: str) -> float:
    """For argparse: a number such as 60 or 0.5."""
    if (number := _number(text)) is None or number == 0:
        raise ArgumentTypeError(f"{text!r}: it must be a number above 0, such as 60 or 0.5")
    return number


def number_from_0(text: str) -> float:
    """For argparse: a number such as 0, 60 or 0.5."""
    if (number := _number(text)) is None:
        raise ArgumentTypeError(f"{text!r}: it must be a number from 0, such as 0, 60 or 0.5")
    return number


def _number(text: str) -> float | None:
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,9})?", text) or float(text) > MOST:
        return None
    return float(text)
