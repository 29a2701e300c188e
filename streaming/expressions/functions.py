"""THE table of what expressions may say: every function and operator, once.

Adding one is an entry here and its native code in `streaming/native/transform/src/program/operations.rs`. The checker,
the compiler, the rendering for Spark, the parity test and `docs/expressions.md` all read this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from contract.pipeline import Type

STRING, INT, DOUBLE, BOOLEAN, TIMESTAMP = Type.STRING, Type.INT, Type.DOUBLE, Type.BOOLEAN, Type.TIMESTAMP

SQL_TYPES = {STRING: "STRING", INT: "BIGINT", DOUBLE: "DOUBLE", BOOLEAN: "BOOLEAN", TIMESTAMP: "TIMESTAMP"}
"""How Spark SQL writes the types."""


class Arity(Enum):
    """How the declared arguments stand for those given."""

    FIXED = "exactly these"
    REPEATED = "the last one once or more"
    CASE = "pairs of a condition and a value, then the value otherwise"


@dataclass(frozen=True)
class Function:
    """One function for one list of argument types.

    `opcode` names the native operation; `appended` are integer constants that it takes after the arguments.
    `spark` is the text for Spark SQL: `{0}`, `{1}` are the arguments, `{all}` is their list.
    `draws` names, for each argument, the values that the parity test draws; by default those of its type.
    """

    name: str
    takes: tuple[Type, ...]
    gives: Type
    opcode: str
    spark: str
    meaning: str
    arity: Arity = Arity.FIXED
    appended: tuple[int, ...] = ()
    draws: tuple[str, ...] = ()

    def expand(self, count: int) -> tuple[Type, ...] | None:
        """The types of `count` arguments, or None where so many do not fit."""
        if self.arity is Arity.CASE:
            return self.takes * (count // 2) + self.takes[1:] if count >= 3 and count % 2 else None
        if self.arity is Arity.REPEATED and count >= len(self.takes):
            return self.takes + self.takes[-1:] * (count - len(self.takes))
        return self.takes if count == len(self.takes) else None


def _arithmetic(name: str, opcode: str, meaning: str) -> Iterable[Function]:
    for of in (INT, DOUBLE):
        yield Function(name, (of, of), of, f"{opcode}_{of.value}", f"({{0}} {name} {{1}})", meaning)


def _comparison(name: str, opcode: str) -> Iterable[Function]:
    meaning = "NaN equals itself and is the greatest; -0.0 equals 0.0; strings by their bytes, false before true"
    for of in Type:
        yield Function(name, (of, of), BOOLEAN, opcode, f"({{0}} {name} {{1}})", meaning)


def _of_any(name: str, opcode: str, meaning: str) -> Iterable[Function]:
    for of in Type:
        yield Function(name, (of,), of, opcode, f"{name}({{all}})", meaning, Arity.REPEATED)


def _of_double(name: str, gives: Type, meaning: str) -> Function:
    return Function(name, (DOUBLE,), gives, name, f"{name}({{0}})", meaning)


def _of_string(name: str, meaning: str) -> Function:
    return Function(name, (STRING,), STRING, name, f"{name}({{0}})", meaning)


def _calendar(name: str, meaning: str) -> Function:
    return Function(name, (TIMESTAMP,), INT, name, f"CAST({name}({{0}}) AS BIGINT)", meaning)


def _cast(of: Type, to: Type, meaning: str) -> Function:
    opcode = f"{of.value}_to_{to.value}"
    draws = (f"text of {to.value}",) if of is STRING else ()
    sql = SQL_TYPES[to]
    return Function(f"CAST AS {sql}", (of,), to, opcode, f"CAST({{0}} AS {sql})", meaning, draws=draws)


def _difference(unit: str, microseconds: int) -> Function:
    spark = f"timestampdiff({unit}, {{0}}, {{1}})"
    meaning = "whole units from the first to the second, towards zero"
    return Function(
        f"timestampdiff {unit}", (TIMESTAMP, TIMESTAMP), INT, "difference", spark, meaning, appended=(microseconds,)
    )


def _shift(sign: str, opcode: str, spark: str) -> Function:
    template = f"{spark}({{0}}, {{1}})"
    meaning = "NULL beyond what a timestamp holds"
    draws = ("timestamp", "interval")
    return Function(f"{sign} INTERVAL", (TIMESTAMP, INT), TIMESTAMP, opcode, template, meaning, draws=draws)


_WRAPS = "integers wrap around at 64 bits"
_SUBSTRING = "from a position (1 is the first, negative counts from the end), so many code points"
_POSITION = "CAST({1} AS INT)"

FUNCTIONS: tuple[Function, ...] = (
    *_arithmetic("+", "add", _WRAPS),
    *_arithmetic("-", "subtract", _WRAPS),
    *_arithmetic("*", "multiply", _WRAPS),
    Function("/", (DOUBLE, DOUBLE), DOUBLE, "divide_double", "({0} / {1})", "always a double; by zero: NULL"),
    *_arithmetic("%", "remainder", "the sign of the first; by zero: NULL"),
    Function("unary -", (INT,), INT, "negate_int", "(- {0})", _WRAPS),
    Function("unary -", (DOUBLE,), DOUBLE, "negate_double", "(- {0})", _WRAPS),
    *_comparison("=", "equal"),
    *_comparison("<>", "not_equal"),
    *_comparison("<", "less"),
    *_comparison("<=", "less_equal"),
    *_comparison(">", "greater"),
    *_comparison(">=", "greater_equal"),
    Function("AND", (BOOLEAN, BOOLEAN), BOOLEAN, "and", "({0} AND {1})", "three-valued"),
    Function("OR", (BOOLEAN, BOOLEAN), BOOLEAN, "or", "({0} OR {1})", "three-valued"),
    Function("NOT", (BOOLEAN,), BOOLEAN, "not", "(NOT {0})", "three-valued"),
    *(Function("IS NULL", (of,), BOOLEAN, "is_null", "({0} IS NULL)", "never NULL") for of in Type),
    *(
        Function("IN", (of, of), BOOLEAN, "in", "({0} IN ({rest}))", "NULL where not found among NULLs", Arity.REPEATED)
        for of in Type
    ),
    *(
        Function("CASE", (BOOLEAN, of), of, "case", "CASE {cases} END", "the first that is true", Arity.CASE)
        for of in Type
    ),
    *_of_any("coalesce", "coalesce", "the first that is not NULL"),
    *(Function("nullif", (of, of), of, "nullif", "nullif({0}, {1})", "NULL where both are equal") for of in Type),
    *(
        Function(name, (of, of), of, name, f"{name}({{all}})", "NULLs are skipped; NaN is the greatest", Arity.REPEATED)
        for name in ("least", "greatest")
        for of in Type
    ),
    Function("abs", (INT,), INT, "abs_int", "abs({0})", _WRAPS),
    Function("abs", (DOUBLE,), DOUBLE, "abs_double", "abs({0})", _WRAPS),
    _of_double("floor", INT, "saturates at 64 bits; of NaN: 0"),
    _of_double("ceil", INT, "saturates at 64 bits; of NaN: 0"),
    _of_double("round", DOUBLE, "to a whole number, half away from zero; never -0.0"),
    _of_double("sqrt", DOUBLE, "below zero: NaN"),
    _of_double("ln", DOUBLE, "as Java's StrictMath, bit for bit; at and below zero: NULL"),
    _of_double("log1p", DOUBLE, "ln(1 + x), as Java's StrictMath, bit for bit; at and below -1: NULL"),
    _of_string("upper", "ASCII letters; other letters stay"),
    _of_string("lower", "ASCII letters; other letters stay"),
    _of_string("trim", "without the spaces at both ends; nothing but spaces"),
    Function("length", (STRING,), INT, "length", "CAST(length({0}) AS BIGINT)", "in code points"),
    Function(
        "substring",
        (STRING, INT),
        STRING,
        "substring",
        f"substring({{0}}, {_POSITION})",
        _SUBSTRING,
        appended=(2_147_483_647,),
        draws=("string", "small int"),
    ),
    Function(
        "substring",
        (STRING, INT, INT),
        STRING,
        "substring",
        f"substring({{0}}, {_POSITION}, CAST({{2}} AS INT))",
        _SUBSTRING,
        draws=("string", "small int", "small int"),
    ),
    Function("concat", (STRING,), STRING, "concat", "concat({all})", "NULL where one is NULL", Arity.REPEATED),
    Function("||", (STRING, STRING), STRING, "concat", "({0} || {1})", "NULL where one is NULL"),
    _calendar("hour", "0 to 23, UTC"),
    _calendar("minute", "0 to 59, UTC"),
    _calendar("dayofweek", "1 is Sunday, 7 Saturday, UTC"),
    _calendar("month", "1 to 12, UTC"),
    _calendar("unix_seconds", "since 1970, rounded down"),
    _calendar("unix_millis", "since 1970, rounded down"),
    _shift("+", "add_interval", "try_add"),
    _shift("-", "subtract_interval", "try_subtract"),
    _difference("MILLISECOND", 1_000),
    _difference("SECOND", 1_000_000),
    _difference("MINUTE", 60_000_000),
    _difference("HOUR", 3_600_000_000),
    _difference("DAY", 86_400_000_000),
    _cast(INT, DOUBLE, "the nearest double"),
    _cast(INT, STRING, "decimal digits"),
    _cast(INT, BOOLEAN, "whether it is not zero"),
    _cast(INT, TIMESTAMP, "seconds since 1970; saturates"),
    _cast(DOUBLE, INT, "towards zero; saturates at 64 bits; of NaN: 0"),
    _cast(DOUBLE, BOOLEAN, "whether it is not zero; NaN is true"),
    _cast(DOUBLE, TIMESTAMP, "seconds since 1970; saturates; NaN and infinities: NULL"),
    _cast(BOOLEAN, INT, "1 or 0"),
    _cast(BOOLEAN, DOUBLE, "1.0 or 0.0"),
    _cast(BOOLEAN, STRING, "'true' or 'false'"),
    _cast(BOOLEAN, TIMESTAMP, "one microsecond after 1970 began, or none"),
    _cast(TIMESTAMP, INT, "seconds since 1970, rounded down"),
    _cast(TIMESTAMP, DOUBLE, "seconds since 1970"),
    _cast(TIMESTAMP, STRING, "'2026-03-02 12:00:10.25', UTC, without trailing zeros"),
    _cast(TIMESTAMP, BOOLEAN, "whether it is not the beginning of 1970"),
    _cast(STRING, INT, "trimmed; a fraction is cut off; else NULL"),
    _cast(STRING, DOUBLE, "trimmed; decimal, NaN, Infinity; else NULL"),
    _cast(STRING, BOOLEAN, "trimmed; t, true, y, yes, 1 or f, false, n, no, 0; else NULL"),
    _cast(STRING, TIMESTAMP, "trimmed; date, time and offset, UTC without one; else NULL"),
)

BY_NAME: dict[str, tuple[Function, ...]] = {
    name: tuple(function for function in FUNCTIONS if function.name == name)
    for name in dict.fromkeys(function.name for function in FUNCTIONS)
}

CALLABLE: tuple[str, ...] = tuple(
    name for name in BY_NAME if name.isidentifier() and name.islower() and name != "negative"
)
"""The names that are written as `name(...)`; besides them there are operators and keywords."""

UNITS: tuple[str, ...] = tuple(name.split()[1] for name in BY_NAME if name.startswith("timestampdiff "))
