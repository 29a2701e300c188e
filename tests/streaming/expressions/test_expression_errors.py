"""What expressions may not say, and what the message tells to write instead."""

from __future__ import annotations

import pytest

from contract.pipeline import Type
from streaming.expressions.compile_expressions import compile_expressions
from streaming.expressions.expression_errors import ExpressionError

NAMES = {
    "distance": Type.DOUBLE,
    "seats": Type.INT,
    "origin": Type.STRING,
    "departed": Type.BOOLEAN,
    "at": Type.TIMESTAMP,
}


@pytest.mark.parametrize(
    ("sql", "position", "message"),
    [
        ("flor(distance)", 1, "nearest is floor"),
        ("1.0 + distence", 7, "nearest is distance"),
        ("distance + origin", 1, "write CAST(text AS"),
        ("if(departed, 1, 2)", 1, "CASE WHEN condition THEN a ELSE b END"),
        ("current_timestamp()", 1, "as_of"),
        ("at - as_of", 1, "timestampdiff(SECOND, start, end)"),
        ("timestampdiff(WEEK, at, as_of)", 1, "the unit one of MILLISECOND, SECOND"),
        ("CAST(distance AS STRING)", 6, "double to string is not in this version"),
        ("CAST(seats AS INT)", 6, "write BIGINT"),
        ("CAST(seats AS DECIMAL(3, 2))", 6, "the types are STRING, BIGINT"),
        ("round(distance, 2)", 1, "round(x, n) is not in this version"),
        ("departed AND seats", 1, "x <> 0"),
        ("origin || seats", 1, "CAST(x AS STRING)"),
        ("at < '2026-03-02'", 1, "CAST(text AS TIMESTAMP)"),
        ("at + INTERVAL 3 WEEKS", 15, "DAY, HOUR, MINUTE or SECOND, not WEEKS"),
        ("at + INTERVAL '1.5' DAYS", 15, "write 129600.0 SECONDS"),
        ("at + INTERVAL 200000 DAYS", 15, "at most 100000 days"),
        ("INTERVAL 1 DAY", 1, "only added to a timestamp"),
        ("origin LIKE 'J%'", 1, "there is no LIKE"),
        ("origin <=> 'JFK'", 1, "there is no <=>"),
        ("seats DIV 2", 1, "CAST(a / b AS BIGINT)"),
        ("departed IS TRUE", 1, "compare with ="),
        ("seats = departed IN (TRUE)", 1, "put parentheses"),
        ("(SELECT 1)", 9, "no subqueries"),
        ("event.seats", 1, "fields are named alone"),
        ("seats AS s", 1, "the feature has its own"),
        ("abs(seats, 2)", 1, "it takes (int) or (double)"),
        ("NULL", 1, "CAST(NULL AS DOUBLE)"),
        ("coalesce(NULL, NULL)", 1, "has no type"),
        ("9223372036854775808", 1, "beyond 64 bits"),
        ("1e999", 1, "beyond a double"),
        ("seats +", 7, "no expression of this language"),
        ("seats seats seats", 13, "no expression of this language"),
        ("seats\n  + )", 11, "no expression of this language"),
        ("'open", 1, "left open"),
        ("seats; seats", 1, "not several"),
        ("", 1, "it is empty"),
        ("(" * 5_000 + "1" + ")" * 5_000, 1, "too deeply"),
    ],
)
def test_refused_with_place_and_remedy(sql: str, position: int, message: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_expressions({"feature": sql}, NAMES)
    ((name, at, words),) = refused.value.problems
    assert (name, at) == ("feature", position), words
    assert message in words


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_expressions({"a": "nope1 + nope2", "b": "seats", "c": "foo(1)"}, NAMES)
    assert [(name, position) for name, position, _ in refused.value.problems] == [("a", 1), ("a", 9), ("c", 1)]


def test_as_of_is_no_name_for_a_field() -> None:
    with pytest.raises(ExpressionError, match="rename the field"):
        compile_expressions({}, {"as_of": Type.TIMESTAMP})


def test_an_expression_that_grows_beyond_measure_is_refused() -> None:
    sql = "seats"
    for _ in range(30):
        sql = f"CASE {sql} WHEN 1 THEN 2 WHEN 3 THEN 4 END"
    with pytest.raises(ExpressionError, match="split it into several"):
        compile_expressions({"a": sql}, NAMES)
