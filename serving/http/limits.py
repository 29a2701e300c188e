"""Limits of a scorer: the size of a body, the rate of a key's requests, and the spool of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DEFAULT_BODY_BYTES: Final = 1024 * 1024
DEFAULT_SPOOL_BYTES: Final = 1024 * 1024 * 1024


class LimitsError(ValueError):
    """A limit in the environment is no positive number; the message names the variable."""


@dataclass(frozen=True)
class Limits:
    """`body_bytes`: the largest body. `per_second`: requests of one key, None for no limit. `spool_bytes`: what a
    pipeline's predictions may take on disk while Kafka is away."""

    body_bytes: int = DEFAULT_BODY_BYTES
    per_second: float | None = None
    spool_bytes: int = DEFAULT_SPOOL_BYTES

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Limits:
        """From HOTPATH_MAX_BODY (bytes), HOTPATH_RATE (requests per second and key) and HOTPATH_SPOOL (bytes).

        Raises:
            LimitsError: naming the variable.
        """
        body, spool = _positive(env, "HOTPATH_MAX_BODY"), _positive(env, "HOTPATH_SPOOL")
        return cls(
            int(body) if body else DEFAULT_BODY_BYTES,
            _positive(env, "HOTPATH_RATE"),
            int(spool) if spool else DEFAULT_SPOOL_BYTES,
        )


class Rate:
    """A token bucket for each caller, which holds one second's worth of requests (at least one)."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._buckets: dict[bytes, tuple[float, float]] = {}

    def wait_s(self, caller: bytes, now_s: float) -> float:
        """Take a token and return 0, or return the seconds until there is one. `now_s` never goes back."""
        if self._per_second is None:
            return 0.0
        full = max(1.0, self._per_second)
        tokens, at_s = self._buckets.get(caller, (full, now_s))
        tokens = min(full, tokens + (now_s - at_s) * self._per_second)
        if tokens < 1.0:
            self._buckets[caller] = (tokens, now_s)
            return (1.0 - tokens) / self._per_second
        self._buckets[caller] = (tokens - 1.0, now_s)
        return 0.0


def _positive(env: Mapping[str, str], name: str) -> float | None:
    text = env.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise LimitsError(f"{name} = {text!r} is no positive number; unset it for the default")
    return value
