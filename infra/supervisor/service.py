"""A part of the stack: what it runs, what must be ready before it, and how one knows that it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Ready = Callable[["Running"], bool]


@dataclass(frozen=True)
class Running:
    """What a readiness condition may look at: lines that the part has printed since it started."""

    printed: Callable[[str], bool]


def at_once(_: Running) -> bool:
    return True


@dataclass(frozen=True)
class Service:
    """One process under the supervisor; with an empty command a step, done once `prepare` has run.

    `prepare` runs before every start (configuration files, first formatting); what it raises counts as a crash.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Parts that must be ready before this one starts, and are stopped after it."""
    ready: Ready = at_once
    dead_when_printed: str = ""
    """A line with this text says that the process goes on without doing its work: it is ended and started again."""
    address: str = ""
    """What a person can open or connect to, for lists."""
    prepare: Callable[[], None] | None = None
    before_stop: Callable[[], None] | None = None
    """Runs when all parts that need this one have stopped."""
    look_first: str = ""
    """What to do when it is unwell, for status."""
    cwd: Path | None = None
    metrics_port: int = 0
    ready_within_s: float = 120.0
    patience_s: float = 15.0
    """How long it may take to stop."""


def in_order(parts: list[Service]) -> list[Service]:
    """Parts sorted so that each comes after those that it needs.

    Raises:
        ValueError: a part needs itself, directly or not, or one that is not there.
    """
    left, ordered = list(parts), list[Service]()
    while left:
        known = {part.name for part in ordered}
        free = [part for part in left if known.issuperset(part.after)]
        if not free:
            raise ValueError("never ready: " + ", ".join(f"{part.name} after {part.after}" for part in left))
        ordered += free
        left = [part for part in left if part not in free]
    return ordered
