"""One look at something that alerts are about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """A number, and the sentence that says it; `item` is the host, topic, part, ... that it is of.

    `low` and `high` are the ends of its 90 % interval, where it has one; `count` is what `minimum` is compared with.
    `command` and `stage`, where they are given, stand for those of the alert.
    """

    value: float
    text: str
    item: str = ""
    low: float | None = None
    high: float | None = None
    count: float | None = None
    command: str = ""
    stage: str = ""
    is_known: bool = True
    """False: whether all is well with the item is not known now, so that it stays as it was."""
