"""The typed rendering for Spark SQL: every literal with its type, every cast written, every operator in parentheses.

It is the reference that the native code must equal, evaluated with `spark.sql.ansi.enabled=false` in session zone UTC.
"""

from __future__ import annotations

from contract.pipeline import Type
from streaming.expressions.functions import SQL_TYPES, Arity
from streaming.expressions.typecheck import Apply, Constant, Input, Span, Typed


def render(typed: Typed) -> str:
    """Spark SQL text over columns that are named as the fields are."""
    match typed:
        case Constant():
            return _constant(typed)
        case Span():
            seconds, micros = divmod(round(typed.length.total_seconds() * 1_000_000), 1_000_000)
            return f"INTERVAL '{_seconds(seconds, micros)}' SECOND"
        case Input():
            return f"`{typed.name.replace('`', '``')}`"
        case Apply():
            return _apply(typed)


def _seconds(seconds: int, micros: int) -> str:
    sign = "-" if seconds < 0 else ""
    total = abs(seconds * 1_000_000 + micros)
    return f"{sign}{total // 1_000_000}.{total % 1_000_000:06}"


def _apply(typed: Apply) -> str:
    texts = [render(argument) for argument in typed.arguments]
    template = typed.function.spark
    if typed.function.arity is Arity.CASE:
        whens = zip(texts[:-1:2], texts[1:-1:2], strict=True)
        cases = " ".join(f"WHEN {condition} THEN {value}" for condition, value in whens)
        return template.format(cases=f"{cases} ELSE {texts[-1]}")
    return template.format(*texts, all=", ".join(texts), rest=", ".join(texts[1:]))


def _constant(constant: Constant) -> str:
    value, of = constant.value, constant.of
    if value is None:
        return f"CAST(NULL AS {SQL_TYPES[of]})"
    if of is Type.STRING:
        return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
    if of is Type.INT:
        return f"{value}L"
    return f"{value!r}D" if of is Type.DOUBLE else str(value).upper()
