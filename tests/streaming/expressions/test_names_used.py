"""The names that an expression mentions are the fields that its program reads."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from contract.pipeline import Type
from streaming.expressions.names_used import names_in
from streaming.expressions.parse import parse
from streaming.expressions.typecheck import Apply, Checker, Input, Typed
from tests.streaming.expressions.drawn import COLUMNS, expressions


def inputs(typed: Typed) -> frozenset[str]:
    """The fields that a typed tree reads."""
    if isinstance(typed, Input):
        return frozenset({typed.name})
    return frozenset().union(*map(inputs, typed.arguments)) if isinstance(typed, Apply) else frozenset()


@settings(max_examples=60)
@given(st.sampled_from([Type.INT, Type.DOUBLE, Type.STRING, Type.BOOLEAN]).flatmap(lambda of: expressions(of, 2)))
def test_they_are_the_inputs_of_the_typed_tree_and_those_that_hashes_were_made_of(expression: str) -> None:
    typed = Checker(COLUMNS).check("x", parse(expression))
    columns = sqlglot.parse_one(expression, read="spark").find_all(exp.Column)
    assert typed is not None
    assert names_in(expression) == inputs(typed) == {column.name.lower() for column in columns}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("timestampdiff(SECOND, t, as_of) + second", {"t", "as_of", "second"}),
        ("CASE x WHEN a THEN 1 ELSE b END", {"x", "a", "b"}),
        ("unknown + known(y)", set()),
        ("a +", set()),
    ],
)
def test_what_does_not_parse_mentions_none(expression: str, names: set[str]) -> None:
    assert names_in(expression) == names


@pytest.mark.parametrize(
    "field", ["load", "set", "show", "comment", "update", "copy", "cache", "call", "use", "desc", "merge", "explain"]
)
def test_a_field_may_have_the_name_of_a_statement(field: str) -> None:
    assert names_in(field) == names_in(f"{field} > 0.5") == {field}
