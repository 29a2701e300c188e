"""The tree of an expression as written, before its types are known. `at` is the 0-based offset in the text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contract.pipeline import Type


@dataclass(frozen=True, eq=False)
class Literal:
    """A constant; `of` is None for a bare NULL."""

    at: int
    of: Type | None
    value: str | int | float | bool | None


@dataclass(frozen=True, eq=False)
class Name:
    """A field, or `as_of`."""

    at: int
    name: str


@dataclass(frozen=True, eq=False)
class Interval:
    """`INTERVAL 4 MINUTES`: from `at` up to, not including, `end` in the text."""

    at: int
    end: int
    length: timedelta


@dataclass(frozen=True, eq=False)
class Call:
    """A function or operator of the table, by its name there."""

    at: int
    function: str
    arguments: tuple[Node, ...]


Node = Literal | Name | Interval | Call
