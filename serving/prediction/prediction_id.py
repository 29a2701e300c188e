"""Prediction ids: UUIDv7 (RFC 9562, method 3: the clock's fraction of a millisecond fills `rand_a`).

By hand because Python has them from 3.14 on only, and a package for twenty lines is one more to trust.
"""

from __future__ import annotations

import os
from uuid import UUID

_TICKS_PER_MS = 4096


class PredictionIds:
    """Gives ids that rise within this process, whatever its clock does, and are unique among processes."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, now_us: int) -> str:
        """The id of a prediction that is made now, at `now_us` since 1970."""
        self._last = max(self._last + 1, now_us * _TICKS_PER_MS // 1000)
        milliseconds, fraction = divmod(self._last, _TICKS_PER_MS)
        random = int.from_bytes(os.urandom(8), "big") >> 2
        return str(UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | random))
