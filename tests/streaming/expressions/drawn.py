"""Expressions and rows drawn from the table of functions: every function, every type, the odd values of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from streaming.expressions.functions import FUNCTIONS, Arity, Function
from streaming.pipeline import Type

_MOST_INT = 2**63 - 1
INTS = [
    0, 1, -1, 2, 3, 7, 10, 60, 1000, 2**31 - 1, 2**31, -(2**31), 2**32 + 1, 2**53, 2**53 + 1, _MOST_INT, -(2**63),
    -(2**63) + 1,
]  # fmt: skip
DOUBLES = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 1e-300, 5e-324, 2.2250738585072014e-308, 0.49999999999999994,
    4503599627370495.5, 9007199254740993.0, 9.223372036854775e18, 9.223372036854776e18, -9.223372036854776e18, 1e19,
    1.7976931348623157e308, -1.7976931348623157e308, 1e-17, -0.9999999999999999, 1.0000000000000002, 1e15, 0.7071067811865476,
    float("nan"), float("inf"), float("-inf"),
]  # fmt: skip
STRINGS = [
    "",
    " ",
    "a",
    "A",
    "abc",
    "  abc  ",
    "JFK",
    "é",
    "Zürich",
    "東京",
    "🛫 JFK",
    "e\u0301",
    "\u00a0x\u00a0",
    "\tx\n",
    "it's",
    "\\",
    "\x00",
]
MOMENTS = [
    0, 1, -1, 999_999, -999_999, 951_782_400_000_000, 1_772_452_810_250_000, 253_402_300_799_999_999,
    253_402_300_800_000_000, -62_135_596_800_000_000, -62_167_219_200_000_001, 4_107_542_400_000_000, 2**63 - 1, -(2**63),
]  # fmt: skip
TEXTS = {
    Type.INT: [
        "12", " 12 ", "-7", "+5", "1.9", "-1.9", ".5", ".", "-", "+", "", "1e3", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "-9223372036854775809", "9223372036854775807.99", "\t3\n", "\u00a03", "0x10", "1 2", "1.2.3",
        "-.", "00012", "1.a", "٣", "\x7f4\x00", "5L",
    ],
    Type.DOUBLE: [
        "1.5", " 1.5 ", "-0", "-0.0", "1e308", "1e309", "-1e309", "5e-324", "1e-400", "NaN", "nan", "-NaN", "+NaN", "NAN", "inf",
        "-inf", "+Inf", "Infinity", "-INFINITY", "infinit", "1.5d", "1.5F", "1d", "d", ".5", "5.", ".", "", "+", "1e", "1e+", "1e5",
        "1E-5", "1,5", "\t2\n", "\u00a02", "1 2", "0.1", "123456789012345678901234567890", "nanf", "infd", "1ee5", "+-1", "2L",
        "\x7f1", "1\x00", "NaNd", "Infinityf",
    ],
    Type.BOOLEAN: ["true", " TRUE ", "t", "T", "y", "yes", "1", "false", "f", "n", "No", "0", "", "on", "10", "\ttrue\n", "tru"],
    Type.TIMESTAMP: [
        "2026-03-02", "2026-3-2", "2026-03", "2026", "2026-03-02T12:00:10Z", "2026-03-02 12:00:10.25", "2026-02-29", "2024-02-29",
        "2026-03-02T12", "2026-03-02 12:3", "2026-03-02T12:00:10.1234567", "2026-03-02T12:00:10+05:30", "2026-03-02T12:00:10-5",
        "2026-03-02T12:00:10 +01:00", "2026-03-02T12:00:10UTC", "2026-03-02T12:00:10GMT+2", "2026-03-02T12:00:10UT-03:00",
        "2026-03-02T24:00:00", "2026-03-02T23:60:00", "2026-03-02T23:59:60", "2026-13-01", "2026-00-01", "0000-01-01", "-0001-01-01",
        "+12026-01-01", "123456-01-01", "1234567-01-01", "999999-12-31", "999", "", " 2026-03-02 ", "2026-03-02T", "2026-03-02x", "2026-03-02 12:00:10.",
        "2026-03-02 12:00:10.Z", "2026-03-02T12:00:10+18:00", "2026-03-02T12:00:10+18:01", "2026-03-02T12:00:10+0530",
        "2026-03-02T12:00:10+05:30:15", "2026-03-02T12:00:10+053015", "2026-03-02T12:00:10+5:30", "2026-03-02T12:00:10+05:3",
        "2026-03-02T12:00:10z", "2026-03-02T12:00:10+", "2026-03-02T12:00:10Z ", "2026-03-02T12:00Z", "2026-03-02t12:00:10", "2026-3-2 1:2:3.4", "2026-03-02T12:00:10GMT0", "--2026-01-01",
        "2026-03-002", "02026-03-02", "2026-03-02T012:00:00", "\t2026-03-02\n", "294247-01-10T04:00:54.775807Z", "294247-01-10T04:00:54.775808Z",
    ],
}  # fmt: skip
COLUMNS: dict[str, Type] = {
    "i1": Type.INT, "i2": Type.INT, "x1": Type.DOUBLE, "x2": Type.DOUBLE, "s1": Type.STRING, "s2": Type.STRING,
    "t1": Type.TIMESTAMP, "t2": Type.TIMESTAMP, "ok1": Type.BOOLEAN, "ok2": Type.BOOLEAN,
    "text_int": Type.STRING, "text_double": Type.STRING, "text_boolean": Type.STRING, "text_timestamp": Type.STRING,
}  # fmt: skip

_characters = st.characters(exclude_categories=["Cs"])
_year_1 = int((datetime(1, 1, 1) - datetime(1970, 1, 1)).total_seconds()) * 1_000_000
VALUES: dict[Type, st.SearchStrategy[Any]] = {
    Type.INT: st.sampled_from(INTS) | st.integers(-100, 100) | st.integers(-(2**63), _MOST_INT),
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
    return st.sampled_from(columns) | st.sampled_from(columns) | _literals(of) | null


_units = st.sampled_from(["DAY", "HOURS", "minute", "MINUTES"])
_interval_part = st.tuples(st.integers(-400, 400).map(str), _units) | st.tuples(
    st.decimals(-90_000, 90_000, places=3).map("'{}'".format), st.just("SECONDS")
)
_POOLS: dict[str, st.SearchStrategy[str]] = {
    "interval": st.lists(_interval_part.map(" ".join), min_size=1, max_size=3).map(lambda parts: f"INTERVAL {' '.join(parts)}"),
    "small int": st.integers(-6, 6).map(str) | st.sampled_from([str(value) for value in INTS]) | st.sampled_from(["i1", "i2"]),
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
