"""The names that an expression mentions."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


def names_in(expression: str) -> frozenset[str]:
    """The names in an SQL expression, lower case; none when it is no SQL (compiling it says so, with the position)."""
    try:
        tree = sqlglot.parse_one(expression, read="spark")
    except SqlglotError:
        return frozenset()
    return frozenset(column.name.lower() for column in tree.find_all(exp.Column))
