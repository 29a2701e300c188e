"""Where the INTERVALs of an expression stand: a replay at another speed scales them in the text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from streaming.expressions.expression_errors import ExpressionError, Problem, Refused
from streaming.expressions.parse import parse
from streaming.expressions.syntax import Call, Interval, Node


def interval_literals(expression: str) -> list[tuple[int, int, timedelta]]:
    """The (start, end, length) of each INTERVAL: `expression[start:end]` is its text, `INTERVAL` and units included.

    Raises:
        ExpressionError: the text is no expression.
    """
    try:
        found = {interval.at: interval for interval in _intervals(parse(expression))}
    except Refused as refusal:
        raise ExpressionError([Problem("expression", refusal.position + 1, refusal.message)]) from None
    return [(interval.at, interval.end, interval.length) for _, interval in sorted(found.items())]


def _intervals(node: Node) -> Iterator[Interval]:
    if isinstance(node, Interval):
        yield node
    if isinstance(node, Call):
        for argument in node.arguments:
            yield from _intervals(argument)
