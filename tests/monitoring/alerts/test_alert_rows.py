"""Every alert as it stands, in rows for people and as numbers for series."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.alerts.alert_book import AlertBook
from monitoring.alerts.alert_messages import Message, how_bad, payload
from monitoring.alerts.alert_rows import AlertRow, numbers_of, open_rows, rows_of
from monitoring.alerts.silences import Silence
from monitoring.judge.alert_rules import rules_of
from monitoring.judge.reading import Reading
from tests.monitoring.alerts.turns import NOW_S, Values, judged_of, turn
from tests.monitoring.judge.looks import PIPELINE


@pytest.fixture
def book(tmp_path: Path) -> AlertBook:
    return AlertBook(tmp_path / "alerts.json", has_webhook=False)


def rows(book: AlertBook, values: Values, *silences: Silence) -> dict[str, AlertRow]:
    """After a turn, by alert and item."""
    turn(book, values, NOW_S, silences)
    rules = rules_of(PIPELINE)
    own, all_entries = book.entries("flights"), book.entries("flights", "")
    found = rows_of("flights", rules, judged_of(rules, values), own, all_entries, silences, NOW_S)
    return {f"{row.alert}:{row.item}" if row.item else row.alert: row for row in found}


def test_one_that_is_well_is_shown_with_the_reading_that_is_nearest_to_its_threshold(book: AlertBook) -> None:
    found = rows(book, {"clock_ahead": {"a": -1.0, "b": 4.0, "c": 2.0}, "tables_lag": None})
    clock = found["clock_ahead:b"]
    assert (clock.state, clock.value, clock.threshold, clock.side, clock.unit) == ("ok", 4.0, 5.0, "above", "s")
    assert found["tables_lag"].state == "no data"
    assert found["brier"].state == "off"


def test_each_state_has_its_number_and_of_several_items_the_worst_counts(book: AlertBook) -> None:
    values: Values = {
        "clock_ahead": {"a": 900.0, "b": 1.0},
        "auc": Reading(0.6, "", low=0.5, high=0.7, count=100),
        "states_unsent": 4.0,
        "tables_lag": 200.0,
        "rows_lag": 900.0,
        "quarantined": Reading(0.5, "", count=1000),
        "pull_failures": 0.0,
    }
    silence = Silence("tables_lag", "ann", NOW_S, NOW_S + 60)
    numbers = {key[1]: value for key, value in numbers_of(rows(book, values, silence).values()).items()}
    expected = {"clock_ahead": 2, "auc": 3, "states_unsent": 1, "tables_lag": 4, "rows_lag": 5, "quarantined": 5}
    assert {name: numbers[name] for name in expected} == expected
    assert numbers["pull_failures"] == 0
    assert "brier" not in numbers, "it is off"


def test_the_page_leaves_out_what_is_well_but_not_what_is_silenced(book: AlertBook) -> None:
    silence = Silence("mirror_lag", "ann", NOW_S, NOW_S + 60)
    found = rows(book, {"tables_lag": 200.0, "mirror_lag": 1.0, "pull_failures": 0.0}, silence)
    shown = {row.alert: row for row in open_rows(found.values())}
    assert shown.keys() == {"tables_lag", "mirror_lag"}
    assert (shown["mirror_lag"].state, shown["mirror_lag"].silenced_by) == ("ok", "ann")


def a_message(**more: object) -> Message:
    given = {"pipeline": "flights", "code": "auc", "state": "firing", "text": "AUC 0.55", "when": "w"} | more
    return Message(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": 180.0, "threshold": 120.0, "side": "above", "unit": "s"}, "3 min; the limit is above 2 min"),
        ({"value": 1e9, "threshold": 2e9, "side": "below", "unit": "bytes"}, "1 GB; the limit is below 2 GB"),
        ({"value": 0.02, "threshold": 0.01, "side": "above", "unit": "share"}, "2.00%; the limit is above 1.00%"),
        (
            {"value": 0.55, "low": 0.5, "high": 0.59, "threshold": 0.6, "side": "below", "unit": "1"},
            "0.55 (90 % interval 0.5 to 0.59); the limit is below 0.6",
        ),
        ({"value": 1.0, "threshold": 0.0, "side": "above", "unit": "parts"}, ""),
        ({}, ""),
    ],
)
def test_how_bad_it_is_stands_in_words(given: dict[str, object], words: str) -> None:
    assert how_bad(a_message(**given)) == words


def test_what_comes_from_outside_is_no_markup_in_slack() -> None:
    hostile = a_message(text="<!channel> & <http://evil|click>", because=("<b>",), explains=("</>",), remedy="<r>")
    text = payload(hostile, "slack")["text"]
    assert "<" not in text
    assert "&lt;!channel&gt; &amp;" in text
