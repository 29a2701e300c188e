"""Expressions and rows drawn from the table of functions: every function, every type, the odd values of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from contract.pipeline import Type
from streaming.expressions.functions import FUNCTIONS, Arity, Function
from tests.streaming.expressions.odd_values import DOUBLES, INTS, MOMENTS, MOST_INT, STRINGS, TEXTS

COLUMNS: dict[str, Type] = {
    "i1": Type.INT, "i2": Type.INT, "x1": Type.DOUBLE, "x2": Type.DOUBLE, "s1": Type.STRING, "s2": Type.STRING,
    "t1": Type.TIMESTAMP, "t2": Type.TIMESTAMP, "ok1": Type.BOOLEAN, "ok2": Type.BOOLEAN,
    "text_int": Type.STRING, "text_double": Type.STRING, "text_boolean": Type.STRING, "text_timestamp": Type.STRING,
}  # fmt: skip

_characters = st.characters(exclude_categories=["Cs"])
_year_1 = int((datetime(1, 1, 1) - datetime(1970, 1, 1)).total_seconds()) * 1_000_000
VALUES: dict[Type, st.SearchStrategy[Any]] = {
    Type.INT: st.sampled_from(INTS) | st.integers(-100, 100) | st.integers(-(2**63), MOST_INT),
    Type.DOUBLE: st.sampled_from(DOUBLES) | st.floats() | st.floats(-1000, 1000),
    Type.STRING: st.sampled_from(STRINGS) | st.text(_characters, max_size=8),
    Type.BOOLEAN: st.booleans(),
    Type.TIMESTAMP: st.sampled_from(MOMENTS) | st.integers(_year_1, MOMENTS[7]) | st.integers(0, 4 * 10**15),
}
_DIGITS = {Type.INT: "0123456789+-. ", Type.DOUBLE: "0123456789+-.eEdf ", Type.BOOLEAN: "truefalsyno10 "}


def _texts(of: Type) -> st.SearchStrategy[str]:
    if of is Type.TIMESTAMP:
        moments = st.datetimes().map(lambda moment: moment.isoformat("T"))
        zones = st.sampled_from(["", "Z", "+01:00", "-11:30", " UTC", "GMT+03:00"])
        return st.sampled_from(TEXTS[of]) | st.tuples(moments, zones).map("".join)
    return st.sampled_from(TEXTS[of]) | st.text(_DIGITS[of], max_size=6)


def _column(name: str) -> st.SearchStrategy[Any]:
    texts = {f"text_{of.value}": of for of in TEXTS}
    values = _texts(texts[name]) if name in texts else VALUES[COLUMNS[name]]
    return st.integers(0, 7).flatmap(lambda die: values if die else st.none())


rows: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {**{name: _column(name) for name in COLUMNS}, "as_of": VALUES[Type.TIMESTAMP]}
)
"""A row by column name; timestamps as microseconds since 1970."""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _literals(of: Type) -> st.SearchStrategy[str]:
    match of:
        case Type.INT:
            return VALUES[of].map(str)
        case Type.DOUBLE:
            return st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.sampled_from(
                ["0.0", "-0.5", "1e3", ".5", "2.", "7D"]
            )
        case Type.STRING:
            return VALUES[of].map(_quoted)
        case Type.BOOLEAN:
            return st.sampled_from(["TRUE", "false"])
        case Type.TIMESTAMP:
            return st.sampled_from(["CAST('2026-03-02T12:00:10Z' AS TIMESTAMP)", "TIMESTAMP '0001-01-01'", "as_of"])


def _leaf(of: Type) -> st.SearchStrategy[str]:
    columns = [name for name, column in COLUMNS.items() if column is of and not name.startswith("text_")]
    null = st.just(f"CAST(NULL AS {'BIGINT' if of is Type.INT else of.value.upper()})")
    named = st.sampled_from(columns)
    return named | named | named | named | named | _literals(of) | null


_units = st.sampled_from(["DAY", "HOURS", "minute", "MINUTES"])
_interval_part = st.tuples(st.integers(-400, 400).map(str), _units) | st.tuples(
    st.decimals(-90_000, 90_000, places=3).map("'{}'".format), st.just("SECONDS")
)
_POOLS: dict[str, st.SearchStrategy[str]] = {
    "interval": st.lists(_interval_part, min_size=1, max_size=3).map(
        lambda parts: " ".join(["INTERVAL", *(word for part in parts for word in part)])
    ),
    "small int": st.integers(-6, 6).map(str) | st.sampled_from([*map(str, INTS), "i1", "i2"]),
    **{f"text of {of.value}": st.just(f"text_{of.value}") | _texts(of).map(_quoted) for of in TEXTS},
}  # fmt: skip
_BINARY = {"+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "||", "+ INTERVAL", "- INTERVAL"}


def _written(name: str, arguments: list[str]) -> str:
    """The call as a person writes it."""
    first, rest = arguments[0], ", ".join(arguments[1:])
    match name.split():
        case [*_] if name in _BINARY:
            return f"({first} {name.split()[0]} {rest})"
        case ["CAST", "AS", to]:
            return f"CAST({first} AS {to})"
        case ["timestampdiff", unit]:
            return f"timestampdiff({unit}, {first}, {rest})"
        case ["unary", "-"]:
            return f"(- {first})"
        case ["NOT"]:
            return f"(NOT {first})"
        case ["IS", "NULL"]:
            return f"({first} IS NULL)"
        case ["IN"]:
            return f"({first} IN ({rest}))"
        case ["CASE"]:
            whens = [f"WHEN {arguments[at]} THEN {arguments[at + 1]}" for at in range(0, len(arguments) - 1, 2)]
            return f"CASE {' '.join(whens)} ELSE {arguments[-1]} END"
    return f"{name}({', '.join(arguments)})"


@st.composite
def calls(draw: Callable[[st.SearchStrategy[Any]], Any], function: Function, depth: int) -> str:
    """An expression whose outermost call is `function`."""
    count = len(function.takes)
    if function.arity is Arity.REPEATED:
        count += draw(st.integers(0, 2))
    if function.arity is Arity.CASE:
        count = draw(st.sampled_from([3, 5]))
    pools = ["" if pool == "string" or pool == "timestamp" else pool for pool in (*function.draws, *[""] * count)]
    wanted = function.expand(count) or ()
    drawn = [_POOLS[pool] if pool else expressions(of, depth - 1) for of, pool in zip(wanted, pools, strict=False)]
    arguments = [draw(strategy) for strategy in drawn]
    return _written(function.name, arguments)


@cache
def expressions(of: Type, depth: int) -> st.SearchStrategy[str]:
    """Expressions of a type, at most `depth` calls deep."""
    if depth <= 0:
        return _leaf(of)
    deeper = [calls(function, depth) for function in FUNCTIONS if function.gives is of]
    return _leaf(of) | st.one_of(deeper) | st.one_of(deeper)


def plain(function: Function) -> str:
    """The function over columns alone."""
    count = max(len(function.takes), 3 if function.arity is not Arity.FIXED else 0)
    pools = {f"text of {of.value}": f"text_{of.value}" for of in TEXTS} | {"interval": "INTERVAL 1 DAY"}
    arguments = []
    for at, of in enumerate(function.expand(count) or ()):
        own = [name for name, column in COLUMNS.items() if column is of and not name.startswith("text_")]
        pool = function.draws[at] if at < len(function.draws) else ""
        arguments.append(pools.get(pool, own[at % 2]))
    return _written(function.name, arguments)


def odd_rows() -> list[dict[str, Any]]:
    """Rows in which every odd double meets every other, and likewise for the other types."""
    pools: dict[Type, list[Any]] = {
        Type.INT: [None, *INTS], Type.DOUBLE: [None, *DOUBLES], Type.STRING: [None, *STRINGS],
        Type.BOOLEAN: [None, True, False], Type.TIMESTAMP: [None, *MOMENTS],
    }  # fmt: skip
    return [
        {name: _odd(name, pools[COLUMNS.get(name, Type.TIMESTAMP)], index) for name in (*COLUMNS, "as_of")}
        for index in range(len(pools[Type.DOUBLE]) ** 2)
    ]


def _odd(name: str, pool: list[Any], index: int) -> Any:
    for of, texts in TEXTS.items():
        if name == f"text_{of.value}":
            return texts[index % len(texts)]
    return pool[(index // len(pool) if name.endswith("2") else index) % len(pool)]


def collect(strategy: st.SearchStrategy[Any], count: int, number: int | None = None) -> list[Any]:
    """`count` values: always the same ones, or those of the seed `number`."""
    found: list[Any] = []

    @settings(
        max_examples=count, phases=[Phase.generate], database=None, deadline=None, derandomize=number is None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def draw(value: Any) -> None:
        found.append(value)

    (draw if number is None else seed(number)(draw))()
    return found[:count]
