"""The native machine equals Spark SQL bit for bit: drawn expressions over drawn rows, evaluated by both.

`HOTPATH_PARITY=N` draws N expressions instead of 330, `HOTPATH_PARITY_SEED=S` others than the usual ones.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from contract.pipeline import Type
from streaming._native import Program
from streaming.expressions.compile_expressions import CompiledExpressions, compile_expressions
from streaming.expressions.functions import FUNCTIONS
from streaming.expressions.known_differences import DIFFERENCES, Difference
from tests.integration.spark import spark
from tests.streaming.expressions.drawn import COLUMNS, calls, collect, odd_rows, plain, rows

__all__ = ["spark"]

_EXPRESSIONS = int(os.environ.get("HOTPATH_PARITY", "330"))
_SEED = int(os.environ["HOTPATH_PARITY_SEED"]) if "HOTPATH_PARITY_SEED" in os.environ else None
_ROWS = 50
_AT_ONCE = 60
_SHOWN = 8
_ARROW = {
    Type.STRING: pa.string(),
    Type.INT: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIMESTAMP: pa.timestamp("us", "UTC"),
}


def _table(drawn: list[dict[str, Any]]) -> pa.Table:
    types = {**COLUMNS, "as_of": Type.TIMESTAMP}
    return pa.table({name: pa.array([row[name] for row in drawn], _ARROW[of]) for name, of in types.items()})


def _expressions() -> list[str]:
    """The same number for every function of the table, that function outermost."""
    each = math.ceil(_EXPRESSIONS / len(FUNCTIONS))
    return [sql for function in FUNCTIONS for sql in collect(calls(function, 3), each, _SEED)]


def _bits(column: Any) -> list[Any]:
    """Values that are equal only when their bits are; all NaNs are one."""
    if pa.types.is_floating(column.type):
        return [
            value if value is None else struct.pack(">d", math.nan if value != value else value)
            for value in column.to_pylist()
        ]
    if pa.types.is_timestamp(column.type):
        return list(column.cast(pa.int64()).to_pylist())
    return list(column.to_pylist())


def _double_bits(value: float) -> bytes:
    return struct.pack(">d", math.nan if math.isnan(value) else value)


def _native(compiled: CompiledExpressions, table: pa.Table) -> pa.RecordBatch:
    (batch,) = table.combine_chunks().to_batches()
    return pa.record_batch(Program(json.dumps(compiled.program)).evaluate(batch))


def _excepted(sql: str, row: dict[str, Any]) -> bool:
    """The named exception: upper and lower leave letters beyond ASCII as they are."""
    text = sql + "".join(value for value in row.values() if isinstance(value, str))
    return ("upper(" in sql or "lower(" in sql) and any(_changes(letter) for letter in text)


def _changes(letter: str) -> bool:
    return not letter.isascii() and (letter.upper() != letter or letter.lower() != letter)


def _differences(frame: DataFrame, drawn: list[dict[str, Any]], texts: list[str]) -> Iterable[str]:
    compiled = compile_expressions({f"e{index}": sql for index, sql in enumerate(texts)}, COLUMNS)
    ours = _native(compiled, _table(drawn))
    theirs = frame.select([F.expr(sql).alias(name) for name, sql in compiled.spark_sql.items()]).toArrow()
    for name, sql in zip(compiled.types, texts, strict=True):
        pairs = zip(_bits(theirs[name]), _bits(ours[name]), drawn, strict=True)
        for expected, found, row in pairs:
            if expected != found and not _excepted(sql, row):
                used = {column: value for column, value in row.items() if column in sql}
                yield f"{sql}\n  as {compiled.spark_sql[name]}\n  of {used}\n  Spark {expected!r}, native {found!r}"


def _compare(spark: SparkSession, texts: list[str], drawn: list[dict[str, Any]]) -> None:
    frame = spark.createDataFrame(_table(drawn))
    found: list[str] = []
    for start in range(0, len(texts), _AT_ONCE):
        found += _differences(frame, drawn, texts[start : start + _AT_ONCE])
    shortest = sorted(found, key=len)[:_SHOWN]
    assert not found, f"{len(found)} differences, the shortest:\n" + "\n".join(shortest)


def test_native_equals_spark_bit_for_bit(spark: SparkSession) -> None:
    texts, drawn = _expressions(), collect(rows, _ROWS, _SEED)
    assert (len(texts) >= min(_EXPRESSIONS, 300), len(drawn)) == (True, _ROWS)
    _compare(spark, texts, drawn)


def test_every_function_equals_spark_where_odd_values_meet(spark: SparkSession) -> None:
    _compare(spark, [plain(function) for function in FUNCTIONS], odd_rows())


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_a_named_difference_is_still_one(spark: SparkSession, difference: Difference) -> None:
    rendered = compile_expressions({"a": difference.sql}, {}).spark_sql["a"]
    (row,) = spark.range(1).select(F.expr(rendered).alias("a")).collect()
    assert row["a"] != difference.native
