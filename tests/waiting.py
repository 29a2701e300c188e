"""Waiting on a condition, with a deadline and a name for what was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from confluent_kafka import KafkaException

from streaming.kafka.retriable import is_retriable

T = TypeVar("T")

PATIENCE = 3
"""How much longer than on an idle machine a condition may take: the tests must hold beside other programs."""


def until(condition: Callable[[], T | None], timeout_s: float, what: str, every_s: float = 0.1) -> T:
    """Return the condition's first truthy value; on an idle machine it would come within `timeout_s`.

    The condition is asked for a quarter of the time at most, however long it takes.

    An error of Kafka's that passes by itself, as while a broker comes back, counts as "not yet".

    Raises:
        TimeoutError: naming `what` and the last value seen.
    """
    timeout_s *= PATIENCE
    deadline = time.monotonic() + timeout_s
    asked = time.monotonic()
    while not (value := _asked(condition)) or isinstance(value, _NotYet):
        now = time.monotonic()
        if now > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s} s, last seen {value!r}")
        time.sleep(max(every_s, 3 * (now - asked)))
        asked = time.monotonic()
    return value


@dataclass(frozen=True)
class _NotYet:
    error: KafkaException


def _asked(condition: Callable[[], T | None]) -> T | _NotYet | None:
    try:
        return condition()
    except KafkaException as error:
        if is_retriable(error):
            return _NotYet(error)
        raise
