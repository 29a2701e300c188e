"""The `traceparent` header (W3C Trace Context, level 1)."""

from __future__ import annotations

import re
from typing import Final

_TRACEPARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII
)


def valid_traceparent(header: bytes | None) -> str | None:
    """The header as text, or None where it is absent or malformed: the standard has receivers ignore such a one."""
    return header.decode("ascii") if header is not None and _TRACEPARENT.fullmatch(header) else None
