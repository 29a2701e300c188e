"""INTERVALs: where they stand in the text, and how long they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streaming.expressions.expression_errors import ExpressionError
from streaming.expressions.intervals import interval_literals


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("INTERVAL 4 MINUTES", timedelta(minutes=4)),
        ("INTERVAL '1' DAY", timedelta(days=1)),
        ("interval 1 day 2 hours 30 minutes", timedelta(days=1, hours=2, minutes=30)),
        ("INTERVAL 1 DAY -2 HOURS", timedelta(hours=22)),
        ("INTERVAL -3 MINUTES", timedelta(minutes=-3)),
        ("INTERVAL '-1.000001' SECOND", timedelta(seconds=-1, microseconds=-1)),
        ("INTERVAL 1.5 SECONDS", timedelta(seconds=1.5)),
    ],
)
def test_an_interval_is_found_with_its_length(text: str, length: timedelta) -> None:
    sql = f"scheduled + {text} - INTERVAL 9 DAYS"
    first, last = interval_literals(sql)
    assert first == (12, 12 + len(text), length)
    assert sql[last[0] : last[1]] == "INTERVAL 9 DAYS"


def test_a_number_without_a_unit_after_a_minus_is_subtracted() -> None:
    sql = "unix_seconds(at + INTERVAL 1 DAY) -2"
    assert [sql[start:end] for start, end, _ in interval_literals(sql)] == ["INTERVAL 1 DAY"]


def test_an_interval_in_a_string_is_none() -> None:
    assert interval_literals("'INTERVAL 1 DAY'") == []


def test_what_is_no_expression_is_refused() -> None:
    with pytest.raises(ExpressionError):
        interval_literals("at + INTERVAL")
