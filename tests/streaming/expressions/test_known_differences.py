"""The named differences from Spark, as far as the native code goes; the parity test has Spark's side."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from streaming._native import Program
from streaming.expressions.compile_expressions import compile_expressions
from streaming.expressions.known_differences import DIFFERENCES, Difference


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_a_named_difference_gives_what_it_says(difference: Difference) -> None:
    program = compile_expressions({"a": difference.sql}, {}).program
    row = pa.record_batch({"as_of": pa.array([0], pa.timestamp("us", "UTC"))})
    assert pa.record_batch(Program(json.dumps(program)).evaluate(row)).to_pylist() == [{"a": difference.native}]
