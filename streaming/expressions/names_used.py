"""The names that an expression mentions, from the same tree that is typed and compiled."""

from __future__ import annotations

from collections.abc import Iterator

from streaming.expressions.expression_errors import Refused
from streaming.expressions.parse import parse
from streaming.expressions.syntax import Call, Name, Node


def names_in(expression: str) -> frozenset[str]:
    """The names, lower case; none of an expression that does not parse (compiling it says so, with the position)."""
    try:
        return frozenset(name.lower() for name in _names(parse(expression), set()))
    except Refused:
        return frozenset()


def _names(node: Node, seen: set[int]) -> Iterator[str]:
    """Parts that the tree shares are looked at once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    match node:
        case Name():
            yield node.name
        case Call():
            for argument in node.arguments:
                yield from _names(argument, seen)
