"""Where the native code differs from Spark SQL: by name, each with an expression that shows it. There are no others.

`tests/integration/test_parity.py` evaluates each in both engines, so that none outlives its reason.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """`sql`, cast to a string, gives `native` here and not in Spark."""

    name: str
    why: str
    sql: str
    native: str | None


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "letters beyond ASCII",
        "upper and lower change ASCII letters only; other letters stay",
        "upper('Zürich ß')",
        "ZüRICH ß",
    ),
    Difference(
        "named zones",
        "a string with a named zone gives NULL as a timestamp: zones come later; write an offset",
        "CAST(CAST('2026-03-02T12:00:00 Europe/Paris' AS TIMESTAMP) AS STRING)",
        None,
    ),
    Difference(
        "times without a date",
        "a time alone gives NULL as a timestamp: it would mean another moment every day",
        "CAST(CAST(CAST('12:00:00' AS TIMESTAMP) IS NULL AS BIGINT) AS STRING)",
        "1",
    ),
    Difference(
        "hexadecimal doubles",
        "a hexadecimal string gives NULL as a double",
        "CAST(CAST(CAST('0x1p3' AS DOUBLE) AS BIGINT) AS STRING)",
        None,
    ),
)
