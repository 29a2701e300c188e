"""Types, the rendering for Spark and the program."""

from __future__ import annotations

import json

import pytest

from contract.pipeline import Type
from streaming._native import Program
from streaming.expressions.compile_expressions import compile_expressions
from streaming.expressions.functions import FUNCTIONS
from tests.streaming.expressions.drawn import COLUMNS, calls, collect

NAMES = {"x": Type.DOUBLE, "n": Type.INT, "s": Type.STRING, "ok": Type.BOOLEAN, "at": Type.TIMESTAMP}


@pytest.mark.parametrize(
    ("sql", "of", "spark"),
    [
        ("n + 1", Type.INT, "(`n` + 1L)"),
        ("n + 0.5", Type.DOUBLE, "(CAST(`n` AS DOUBLE) + 0.5D)"),
        ("n / 2", Type.DOUBLE, "(CAST(`n` AS DOUBLE) / CAST(2L AS DOUBLE))"),
        ("floor(x)", Type.INT, "floor(`x`)"),
        ("floor(n)", Type.INT, "`n`"),
        ("coalesce(n, x, NULL)", Type.DOUBLE, "coalesce(CAST(`n` AS DOUBLE), `x`, CAST(NULL AS DOUBLE))"),
        ("CASE WHEN ok THEN 1 END", Type.INT, "CASE WHEN `ok` THEN 1L ELSE CAST(NULL AS BIGINT) END"),
        ("n BETWEEN 1 AND 2", Type.BOOLEAN, "((`n` >= 1L) AND (`n` <= 2L))"),
        ("s NOT IN ('a', 'it\\'s')", Type.BOOLEAN, "(NOT (`s` IN ('a', 'it\\'s')))"),
        ("length(s)", Type.INT, "CAST(length(`s`) AS BIGINT)"),
        ("substring(s, 2)", Type.STRING, "substring(`s`, CAST(2L AS INT))"),
        ("INTERVAL 4 MINUTES + at", Type.TIMESTAMP, "try_add(`at`, INTERVAL '240.000000' SECOND)"),
        ("timestampdiff(second, at, as_of)", Type.INT, "timestampdiff(SECOND, `at`, `as_of`)"),
        ("TIMESTAMP '2026-03-02'", Type.TIMESTAMP, "CAST('2026-03-02' AS TIMESTAMP)"),
        ("-9223372036854775808", Type.INT, "-9223372036854775808L"),
        ("CAST(NULL AS STRING)", Type.STRING, "CAST(NULL AS STRING)"),
        ("n < x IS NULL", Type.BOOLEAN, "((CAST(`n` AS DOUBLE) < `x`) IS NULL)"),
    ],
)
def test_every_type_is_written_out_for_spark(sql: str, of: Type, spark: str) -> None:
    compiled = compile_expressions({"feature": sql}, NAMES)
    assert (compiled.types, compiled.spark_sql) == ({"feature": of}, {"feature": spark})


def test_what_is_common_is_computed_once() -> None:
    program = compile_expressions({"a": "(n + 1) * (n + 1)", "b": "n + 1"}, NAMES).program
    assert program["instructions"] == [["add_int", 0, "f1", "c0"], ["multiply_int", 1, "r0", "r0"]]
    assert program["outputs"] == [["a", "int", "r1"], ["b", "int", "r0"]]


def test_registers_are_used_again() -> None:
    program = compile_expressions({"a": " + ".join(f"abs(n - {k})" for k in range(100))}, NAMES).program
    assert max(to for _, to, *_ in program["instructions"]) == 1


def test_outputs_and_fields_keep_their_order() -> None:
    program = compile_expressions({"z": "x", "a": "s", "m": "as_of"}, NAMES).program
    assert [name for name, *_ in program["outputs"]] == ["z", "a", "m"]
    assert [name for name, _ in program["fields"]] == list(NAMES)


def test_every_function_of_the_table_has_native_code() -> None:
    """The native side knows each operation and takes exactly the types that the table says."""
    for function in FUNCTIONS:
        for sql in collect(calls(function, 1), 3):
            Program(json.dumps(compile_expressions({"a": sql}, COLUMNS).program))


def test_a_broken_program_is_refused() -> None:
    with pytest.raises(ValueError, match=r"format is 2, not 1: compile the pipeline again"):
        Program(json.dumps({**compile_expressions({}, {}).program, "format": 2}))
