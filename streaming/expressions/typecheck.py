"""From the syntax tree to a typed one: every name known, every function chosen by its types, every cast explicit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from contract.pipeline import Type
from streaming.expressions.expression_errors import Problem
from streaming.expressions.functions import BY_NAME, SQL_TYPES, Function
from streaming.expressions.syntax import Call, Interval, Literal, Name, Node

AS_OF = "as_of"


@dataclass(frozen=True, eq=False)
class Constant:
    """A value of a type, or NULL of it."""

    of: Type
    value: str | int | float | bool | None


@dataclass(frozen=True, eq=False)
class Span:
    """The length of an INTERVAL: to the machine an int of microseconds."""

    length: timedelta
    of: Type = Type.INT


@dataclass(frozen=True, eq=False)
class Input:
    """A field, or `as_of`."""

    name: str
    of: Type


@dataclass(frozen=True, eq=False)
class Apply:
    """A function of the table with arguments of exactly its types."""

    function: Function
    arguments: tuple[Typed, ...]

    @property
    def of(self) -> Type:
        return self.function.gives


Typed = Constant | Span | Input | Apply
_Untyped = Typed | None


class _Failed(Exception):
    """A part below has a problem that is noted already."""


class Checker:
    """Types the expressions of one set of names; `problems` grows."""

    def __init__(self, names: Mapping[str, Type]) -> None:
        self.names = {**names, AS_OF: Type.TIMESTAMP}
        self.problems: list[Problem] = []

    def check(self, expression: str, tree: Node) -> Typed | None:
        """The typed tree; None where `problems` has grown."""
        checking = _Checking(self, expression)
        try:
            typed = checking.node(tree)
        except _Failed:
            return None
        if typed is None:
            checking.note(tree.at, "NULL alone has no type: write CAST(NULL AS DOUBLE) or another type")
        return typed


class _Checking:
    def __init__(self, checker: Checker, expression: str) -> None:
        self.checker = checker
        self.expression = expression
        self.done: dict[int, _Untyped] = {}

    def note(self, at: int, message: str) -> None:
        problem = Problem(self.expression, at + 1, message)
        if problem not in self.checker.problems:
            self.checker.problems.append(problem)

    def fail(self, at: int, message: str) -> _Failed:
        self.note(at, message)
        return _Failed()

    def node(self, node: Node) -> _Untyped:
        """None stands for a NULL whose type its surroundings give. What is shared is typed once."""
        if id(node) not in self.done:
            self.done[id(node)] = self._typed(node)
        return self.done[id(node)]

    def _typed(self, node: Node) -> _Untyped:
        match node:
            case Literal():
                return None if node.of is None else Constant(node.of, node.value)
            case Name():
                return self._name(node)
            case Interval():
                raise self.fail(node.at, "an INTERVAL is only added to a timestamp or subtracted from one")
            case Call():
                return self._call(node)

    def _name(self, node: Name) -> Typed:
        of = self.checker.names.get(node.name)
        if of is None:
            near = difflib.get_close_matches(node.name, self.checker.names, 1, 0)
            raise self.fail(node.at, f"there is no field {node.name}: the nearest is {near[0]}")
        return Input(node.name, of)

    def _arguments(self, call: Call) -> list[_Untyped]:
        """All of them are typed before the first problem ends this call."""
        typed: list[_Untyped] = []
        failed = False
        for argument in call.arguments:
            try:
                if isinstance(argument, Interval) and call.function.endswith(" INTERVAL"):
                    typed.append(Span(argument.length))
                else:
                    typed.append(self.node(argument))
            except _Failed:
                failed = True
        if failed:
            raise _Failed
        return typed

    def _call(self, call: Call) -> Typed:
        arguments = self._arguments(call)
        if call.function.startswith("CAST AS ") and (cast := self._trivial_cast(call, arguments[0])):
            return cast
        types = [None if argument is None else argument.of for argument in arguments]
        if call.function in ("floor", "ceil", "round") and types == [Type.INT] and arguments[0]:
            return arguments[0]  # whole already
        function = self._choose(call, types)
        wanted = function.expand(len(arguments)) or ()
        return Apply(function, tuple(map(_fit, arguments, wanted)))

    def _trivial_cast(self, call: Call, argument: _Untyped) -> Typed | None:
        to = next(of for of, sql in SQL_TYPES.items() if call.function == f"CAST AS {sql}")
        if argument is None:
            return Constant(to, None)
        return argument if argument.of is to else None

    def _choose(self, call: Call, types: list[Type | None]) -> Function:
        costs = [
            (cost, function) for function in BY_NAME[call.function] if (cost := _cost(function, types)) is not None
        ]
        if not costs:
            raise self.fail(call.at, _refusal(call.function, types))
        least = min(cost for cost, _ in costs)
        best = [function for cost, function in costs if cost == least]
        if len(best) > 1:
            raise self.fail(call.at, f"{call.function} of nothing but NULL has no type: write CAST(NULL AS DOUBLE)")
        return best[0]


def _cost(function: Function, types: list[Type | None]) -> int | None:
    """How many ints become doubles; None where the types do not fit."""
    wanted = function.expand(len(types))
    if wanted is None:
        return None
    cost = 0
    for given, of in zip(types, wanted, strict=True):
        if given is Type.INT and of is Type.DOUBLE:
            cost += 1
        elif given is not None and given is not of:
            return None
    return cost


def _fit(argument: _Untyped, of: Type) -> Typed:
    if argument is None:
        return Constant(of, None)
    if argument.of is of:
        return argument
    (widen,) = (function for function in BY_NAME["CAST AS DOUBLE"] if function.takes == (argument.of,))
    return Apply(widen, (argument,))


def _refusal(name: str, types: list[Type | None]) -> str:
    """Why no function of that name takes these types, and what to write."""
    given = _listed(types)
    if name == "-" and types == [Type.TIMESTAMP, Type.TIMESTAMP]:
        return "timestamps are not subtracted with -: write timestampdiff(SECOND, start, end)"
    if name == "CAST AS STRING" and types == [Type.DOUBLE]:
        return "double to string is not in this version: cast to BIGINT first, or keep the number"
    if name.startswith("CAST AS "):
        return f"{given} is not cast to {name.removeprefix('CAST AS ')}"
    if name == "round" and len(types) == 2:
        return "round(x, n) is not in this version: write round(x * 100.0) / 100.0"
    takes = list(dict.fromkeys(_listed(function.takes) for function in BY_NAME[name]))
    return f"{name} does not take {given}; it takes {' or '.join(takes)}{_remedy(name, types)}"


def _listed(types: Iterable[Type | None]) -> str:
    return f"({', '.join('NULL' if of is None else of.value for of in types)})"


def _remedy(name: str, types: list[Type | None]) -> str:
    if all(function.expand(len(types)) is None for function in BY_NAME[name]):
        return ""
    if name in ("AND", "OR", "NOT"):
        return ": compare, for example x <> 0"
    if name in ("||", "concat"):
        return ": write CAST(x AS STRING)"
    if Type.STRING in types and (Type.TIMESTAMP in types or Type.INT in types or Type.DOUBLE in types):
        return ": write CAST(text AS TIMESTAMP) or CAST(text AS DOUBLE)"
    return ": write CAST(x AS type) around what differs"
