"""`python -m streaming.expressions.expression_docs` writes docs/expressions.md from the table of functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from streaming.expressions.functions import BY_NAME, FUNCTIONS, Arity, Function
from streaming.expressions.known_differences import DIFFERENCES

PLACE = Path("docs/expressions.md")

_INTRODUCTION = """\
# Expressions

Features, the label's value and its wait are expressions: SQL over the fields of one event, with the meaning that Spark
SQL gives it when `spark.sql.ansi.enabled` is false and the session's zone is UTC. A bad value gives NULL, never an
error. The same native code evaluates them in training and in serving; a test compares it with Spark bit for bit.

This page is written by `python -m streaming.expressions.expression_docs` from `streaming/expressions/functions.py`.

- **Types**: `string`, `int` (64 bits; BIGINT in SQL), `double`, `boolean`, `timestamp` (microseconds, UTC). There are
  no decimals and no 32-bit integers: `0.5` is a double. An int becomes a double where a double is needed; everything
  else is cast by hand: `CAST(x AS STRING | BIGINT | DOUBLE | BOOLEAN | TIMESTAMP)`.
- **Names**: the fields of the record, as they are written in the file, and `as_of`, the moment of the question. Odd
  names go in backticks.
- **Literals**: `12`, `0.5`, `1e3`, `'text'` (with `\\'` and `\\\\`), `TRUE`, `FALSE`, `NULL`,
  `TIMESTAMP '2026-03-02T12:00:00Z'`, `INTERVAL 4 MINUTES`, `INTERVAL '1' DAY`, `INTERVAL 1 DAY 2 HOURS`,
  `INTERVAL '1.5' SECONDS` (units: DAY, HOUR, MINUTE, SECOND).
- **Also**: `a BETWEEN b AND c`, `NOT IN`, `IS NOT NULL`, `CASE x WHEN a THEN b END`, parentheses, `-- comments`.
- **Timestamps are not subtracted with `-`**: write `timestampdiff(SECOND, start, end)`, a whole number, or
  `(unix_millis(end) - unix_millis(start)) / 1000.0`, a double.
- NULL in gives NULL out, except where the table says otherwise.
- A comparison whose operand is itself `NOT`, `IN` or `BETWEEN` needs parentheses.
- What is not listed is refused, with its position and the nearest that there is.

| write | argument types | result | meaning |
|---|---|---|---|
"""

_DIFFERENCES = """
## Where Spark SQL differs

These are all; each has a test.

| name | what hotpath does | example | gives |
|---|---|---|---|
"""


def reference() -> str:
    """The whole page."""
    table = "\n".join(_rows())
    return f"{_INTRODUCTION}{table}\n{_DIFFERENCES}" + "".join(
        f"| {each.name} | {each.why} | `{each.sql}` | {'NULL' if each.native is None else each.native} |\n"
        for each in DIFFERENCES
    )


def _rows() -> Iterator[str]:
    for name in BY_NAME:
        same = (function for function in FUNCTIONS if function.name == name)
        for (meaning, count), group in groupby(same, lambda function: (function.meaning, len(function.takes))):
            yield _row(name, count, meaning, list(group))


def _row(name: str, count: int, meaning: str, functions: list[Function]) -> str:
    takes = (
        "timestamp"
        if name.endswith(" INTERVAL")
        else _any([", ".join(of.value for of in function.takes) for function in functions], functions)
    )
    gives = dict.fromkeys(function.gives.value for function in functions)
    result = "the same" if len(functions) == len(gives) > 1 else " or ".join(gives)
    return (
        "| "
        + " | ".join([f"`{_written(name, count, functions[0].arity)}`", takes, result, meaning]).replace("||", "\\|\\|")
        + " |"
    )


def _any(takes: Iterable[str], functions: list[Function]) -> str:
    if len(functions) == 5 and not functions[0].name.startswith("CAST"):
        return (
            "any type"
            if len(functions[0].takes) == 1
            else "boolean, any type"
            if _is_case(functions)
            else "any one type"
        )
    return " or ".join(takes)


def _is_case(functions: list[Function]) -> bool:
    return functions[0].arity is Arity.CASE


def _written(name: str, count: int, arity: Arity) -> str:
    """The call as one writes it."""
    match name.split():
        case ["CAST", "AS", to]:
            return f"CAST(a AS {to})"
        case ["timestampdiff", unit]:
            return f"timestampdiff({unit}, start, end)"
        case [sign, "INTERVAL"]:
            return f"a {sign} INTERVAL ..."
        case ["unary", sign]:
            return f"{sign}a"
        case ["NOT"]:
            return "NOT a"
        case ["IS", "NULL"]:
            return "a IS NULL"
        case ["IN"]:
            return "a IN (b, ...)"
        case ["CASE"]:
            return "CASE WHEN a THEN b ... ELSE c END"
    if name.isidentifier() and name.islower():
        return f"{name}({', '.join('abc'[:count])}{', ...' if arity is Arity.REPEATED else ''})"
    return f"a {name} b"


if __name__ == "__main__":
    PLACE.write_text(reference())
