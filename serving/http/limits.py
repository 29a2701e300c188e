"""Limits of a scorer: the size of a body, the rate of a key's requests, and the spool of predictions."""

from __future__ import annotations

from dataclasses import dataclass

from contract import variables
from contract.environment import Environment


@dataclass(frozen=True)
class Limits:
    """`body_bytes`: the largest body. `per_second`: requests of one key, None for no limit. `spool_bytes`: what a
    pipeline's predictions may take on disk while Kafka is away."""

    body_bytes: int = variables.MAX_BODY.default
    per_second: float | None = None
    spool_bytes: int = variables.SPOOL.default

    @classmethod
    def read(cls, environment: Environment) -> Limits:
        """As the environment says.

        Raises:
            VariableError: naming the variable.
        """
        return cls(
            environment.get(variables.MAX_BODY), environment.get(variables.RATE), environment.get(variables.SPOOL)
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
