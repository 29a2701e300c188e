"""The story of an expression: parsed, typed, rendered for Spark SQL, and assembled into a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.pipeline import Type
from streaming.expressions.expression_errors import ExpressionError, Problem, Refused
from streaming.expressions.parse import parse
from streaming.expressions.program import assemble
from streaming.expressions.spark_sql import render
from streaming.expressions.typecheck import AS_OF, Apply, Checker, Typed

_LARGEST = 20_000


@dataclass(frozen=True)
class CompiledExpressions:
    """Expressions over one set of names, in their order.

    `program` is what the native machine runs (JSON-able; its fields are all names, in their order);
    `spark_sql` says the same for Spark SQL.
    """

    types: dict[str, Type]
    program: dict[str, Any]
    spark_sql: dict[str, str]


def compile_expressions(expressions: Mapping[str, str], names: Mapping[str, Type]) -> CompiledExpressions:
    """Compiles expressions (name -> SQL text) over fields (name -> type); `as_of`, a timestamp, is always there.

    Raises:
        ExpressionError: with every problem of every expression.
    """
    checker = Checker(names)
    if AS_OF in names:
        checker.problems.append(Problem(AS_OF, 1, f"{AS_OF} is the moment of the question: rename the field"))
    typed = {name: _typed(checker, name, text) for name, text in expressions.items()}
    outputs = {name: tree for name, tree in typed.items() if tree is not None}
    if checker.problems:
        raise ExpressionError(checker.problems)
    return CompiledExpressions(
        types={name: tree.of for name, tree in outputs.items()},
        program=assemble(names, outputs),
        spark_sql={name: render(tree) for name, tree in outputs.items()},
    )


def _typed(checker: Checker, name: str, text: str) -> Typed | None:
    try:
        tree = checker.check(name, parse(text))
    except Refused as refusal:
        checker.problems.append(Problem(name, refusal.position + 1, refusal.message))
        return None
    if tree is not None and _size(tree, {}) > _LARGEST:
        checker.problems.append(Problem(name, 1, f"larger than {_LARGEST} steps: split it into several"))
    return tree


def _size(tree: Typed, known: dict[int, int]) -> int:
    """How many nodes the written-out tree has; shared parts count each time."""
    if id(tree) not in known:
        below = tree.arguments if isinstance(tree, Apply) else ()
        known[id(tree)] = 1 + sum(_size(argument, known) for argument in below)
    return known[id(tree)]
