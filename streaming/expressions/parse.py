"""From the text of an expression to its syntax tree."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from contract.pipeline import Type
from streaming.expressions.dialect import Dialect
from streaming.expressions.expression_errors import Refused
from streaming.expressions.functions import CALLABLE, SQL_TYPES, UNITS
from streaming.expressions.remedies import CONSTRUCTS, INSTEAD_OF, TYPES
from streaming.expressions.syntax import Call, Interval, Literal, Name, Node

_DEEPEST = 200
_BINARY: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.DPipe: "||",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.And: "AND", exp.Or: "OR",
}  # fmt: skip
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_UNCLEAR = (exp.Is, exp.In, exp.Between, exp.Not)


def parse(text: str) -> Node:
    """Reads one expression.

    Raises:
        Refused: with the 0-based offset of what is not accepted.
    """
    try:
        trees = sqlglot.parse(text, read=Dialect)
        if len(trees) != 1 or trees[0] is None:
            raise Refused(0, "one expression is expected" + (", not several" if len(trees) > 1 else ": it is empty"))
        return _Reading(text).node(trees[0])
    except ParseError as error:
        raise Refused(*_place(text, error)) from None
    except TokenError as error:
        raise Refused(0, f"{str(error).splitlines()[0]}: is a quote or comment left open?") from None
    except RecursionError:
        raise Refused(0, "nested too deeply: split the expression") from None


def _place(text: str, error: ParseError) -> tuple[int, str]:
    first = error.errors[0]
    before = sum(len(line) + 1 for line in text.split("\n")[: first["line"] - 1])
    at = before + first["col"] - len(first["highlight"] or "")
    message = str(first["description"]).removeprefix("Invalid expression / ")
    return max(at, 0), f"{message} near {first['highlight']!r}: no expression of this language"


class _Reading:
    """Turns sqlglot's tree into ours; refuses what is not in the language."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0

    def node(self, tree: exp.Expr) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Refused(_start(tree), f"nested more than {_DEEPEST} levels deep: split the expression")
        read = _READERS.get(type(tree))
        node = self._binary(tree) if type(tree) in _BINARY else read(self, tree) if read else self._unknown(tree)
        self.depth -= 1
        return node

    def _unknown(self, tree: exp.Expr) -> Node:
        what = CONSTRUCTS.get(type(tree).__name__, f"{type(tree).__name__} is not in this language")
        raise Refused(_start(tree), what)

    def _binary(self, tree: exp.Expr) -> Node:
        left, right = tree.this, tree.expression
        if isinstance(tree, _COMPARISONS) and isinstance(left, _UNCLEAR) | isinstance(right, _UNCLEAR):
            raise Refused(_start(tree), f"put parentheses around the operands of {_BINARY[type(tree)]}: it is unclear")
        name, arguments = _BINARY[type(tree)], (self.node(left), self.node(right))
        if name == "+" and isinstance(arguments[0], Interval):
            arguments = (arguments[1], arguments[0])
        if name in "+-" and isinstance(arguments[1], Interval):
            name += " INTERVAL"
        return Call(_start(tree), name, arguments)

    def _paren(self, tree: exp.Expr) -> Node:
        return self.node(tree.this)

    def _literal(self, tree: exp.Expr) -> Node:
        at, text = _start(tree), str(tree.this)
        if tree.is_string:
            return Literal(at, Type.STRING, text)
        return self._number(at, text)

    def _number(self, at: int, text: str) -> Literal:
        try:
            whole, value = text.isdigit(), float(text)
        except ValueError:
            raise Refused(at, f"{text} is no number") from None
        if math.isinf(value):
            raise Refused(at, f"{text[:20]} is beyond a double")
        if whole and int(text) >= 2**63:
            raise Refused(at, f"{text} is beyond 64 bits: write it as a double, {text}.0")
        return Literal(at, Type.INT, int(text)) if whole else Literal(at, Type.DOUBLE, value)

    def _negative(self, tree: exp.Expr) -> Node:
        inner = tree.this
        if isinstance(inner, exp.Literal) and not inner.is_string and str(inner.this) == "9223372036854775808":
            return Literal(_start(tree), Type.INT, -(2**63))
        return Call(_start(tree), "unary -", (self.node(inner),))

    def _boolean(self, tree: exp.Expr) -> Node:
        return Literal(_start(tree), Type.BOOLEAN, bool(tree.this))

    def _null(self, tree: exp.Expr) -> Node:
        return Literal(_start(tree), None, None)

    def _column(self, tree: exp.Expr) -> Node:
        if tree.args.get("table"):
            raise Refused(_start(tree), f"{tree.sql()} has a point: fields are named alone")
        return Name(_start(tree), tree.name)

    def _interval(self, tree: exp.Expr) -> Node:
        return Interval(tree.meta["start"], tree.meta["end"] + 1, tree.meta["length"])

    def _not(self, tree: exp.Expr) -> Node:
        return Call(_start(tree), "NOT", (self.node(tree.this),))

    def _is(self, tree: exp.Expr) -> Node:
        if not isinstance(tree.expression, exp.Null):
            raise Refused(_start(tree), "IS goes with NULL or NOT NULL only: compare with = instead")
        return Call(_start(tree), "IS NULL", (self.node(tree.this),))

    def _in(self, tree: exp.Expr) -> Node:
        if not tree.expressions:
            raise Refused(_start(tree), "IN takes a list of values: x IN (1, 2)")
        return Call(_start(tree), "IN", (self.node(tree.this), *map(self.node, tree.expressions)))

    def _between(self, tree: exp.Expr) -> Node:
        if tree.args.get("symmetric"):
            raise Refused(_start(tree), "BETWEEN SYMMETRIC is not in this language: order the bounds")
        at, value = _start(tree), self.node(tree.this)
        low = Call(at, ">=", (value, self.node(tree.args["low"])))
        return Call(at, "AND", (low, Call(at, "<=", (value, self.node(tree.args["high"])))))

    def _case(self, tree: exp.Expr) -> Node:
        at, operand = _start(tree), self.node(tree.this) if tree.this else None
        arguments: list[Node] = []
        for branch in tree.args["ifs"]:
            condition = self.node(branch.this)
            arguments.append(Call(condition.at, "=", (operand, condition)) if operand else condition)
            arguments.append(self.node(branch.args["true"]))
        default = tree.args.get("default")
        arguments.append(self.node(default) if default else Literal(at, None, None))
        return Call(at, "CASE", tuple(arguments))

    def _cast(self, tree: exp.Expr) -> Node:
        written = tree.args["to"].sql(dialect="spark").upper()
        sql = "TIMESTAMP" if written == "TIMESTAMP_LTZ" else written
        if sql not in SQL_TYPES.values():
            remedy = TYPES.get(sql, f"the types are {', '.join(SQL_TYPES.values())}")
            raise Refused(_start(tree), f"there is no type {written}: {remedy}")
        return Call(_start(tree), f"CAST AS {sql}", (self.node(tree.this),))

    def _call(self, tree: exp.Expr) -> Node:
        at, written = _start(tree), str(tree.this)
        name = written.lower()
        if name == "timestampdiff":
            return self._difference(at, tree.expressions)
        if name not in CALLABLE:
            raise Refused(at, f"there is no function {written}{_instead(name)}")
        return Call(at, name, tuple(map(self.node, tree.expressions)))

    def _difference(self, at: int, arguments: list[Any]) -> Node:
        unit = arguments[0].name.upper() if arguments and isinstance(arguments[0], exp.Column) else ""
        if len(arguments) != 3 or unit not in UNITS:
            raise Refused(at, f"write timestampdiff(unit, start, end), the unit one of {', '.join(UNITS)}")
        return Call(at, f"timestampdiff {unit}", (self.node(arguments[1]), self.node(arguments[2])))


_READERS: dict[type[exp.Expr], Callable[[_Reading, exp.Expr], Node]] = {
    exp.Paren: _Reading._paren, exp.Literal: _Reading._literal, exp.Neg: _Reading._negative,
    exp.Boolean: _Reading._boolean, exp.Null: _Reading._null, exp.Column: _Reading._column,
    exp.Interval: _Reading._interval, exp.Not: _Reading._not, exp.Is: _Reading._is, exp.In: _Reading._in,
    exp.Between: _Reading._between, exp.Case: _Reading._case, exp.TryCast: _Reading._cast, exp.Cast: _Reading._cast,
    exp.Anonymous: _Reading._call,
}  # fmt: skip


def _start(tree: exp.Expr) -> int:
    """The offset of the leftmost part of the tree whose place sqlglot kept."""
    return min((node.meta["start"] for node in tree.walk() if "start" in node.meta), default=0)


def _instead(name: str) -> str:
    if name in INSTEAD_OF:
        return f": write {INSTEAD_OF[name]}"
    nearest, *_ = difflib.get_close_matches(name, [*CALLABLE, "timestampdiff"], 1, 0)
    return f": the nearest is {nearest}; docs/expressions.md lists all"
