"""The types of variables: each function makes a value of a variable's text, or raises ValueError with its rule."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

Address = tuple[str, int]
"""Host and port."""

LOOPBACK: Final = "127.0.0.1"
WILDCARD: Final = "0.0.0.0"
"""Where one listens to be reached at every address of the host; it is none to connect to."""


def text(value: str) -> str:
    return value


def url(value: str) -> str:
    """Without a trailing slash."""
    return value.rstrip("/")


def http_url(value: str) -> str:
    """Without a trailing slash."""
    if not re.fullmatch(r"https?://[^\s/]+.*", value):
        raise ValueError("must be an address that begins with http:// or https://")
    return url(value)


def words(value: str) -> tuple[str, ...]:
    return tuple(value.split())


def listed(value: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(each.strip() for each in value.split(",") if each.strip())


def path(value: str) -> Path:
    return Path(value).absolute()


def one_of(*known: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return value

    return read


def whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", value) or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return read


def positive(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise ValueError("must be a positive number; unset it for the default")
    return number


def size(value: str) -> int:
    """A number of bytes."""
    return max(1, int(positive(value)))


def seconds(value: str) -> timedelta:
    try:
        return timedelta(seconds=positive(value))
    except (ValueError, OverflowError):
        raise ValueError("must be a number of seconds above 0") from None


def memory(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}[mg]", value):
        raise ValueError("must be a number of megabytes or gigabytes")
    return value


def host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", value):
        raise ValueError("must be a host name or an IPv4 address")
    return value


def address(value: str) -> Address:
    name, _, port = value.strip().rpartition(":")
    if not name or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError("must be host:port")
    return name, int(port)


def reachable(name: str) -> str:
    """The host name or address to connect to, on this host, for what listens at `name`."""
    return LOOPBACK if name == WILDCARD else name
