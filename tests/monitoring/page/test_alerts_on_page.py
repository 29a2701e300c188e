"""The page shows what is pending, inconclusive, silenced or explained, and what became of each message."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.alerts.alert_book import AlertBook
from monitoring.alerts.alert_rows import rows_of
from monitoring.alerts.silences import Silence
from monitoring.judge.alert_rules import rules_of
from monitoring.judge.reading import Reading
from tests.monitoring.alerts.turns import NOW_S, Values, judged_of, turn
from tests.monitoring.judge.looks import PIPELINE
from tests.monitoring.page.test_page_server import a_view, showing

VALUES: Values = {
    "states_unsent": 4.0,
    "auc": Reading(0.6, "realised AUC 0.600", low=0.5, high=0.7, count=100),
    "tables_lag": 200.0,
    "rows_lag": 900.0,
    "pull_failures": 0.0,
    "clock_ahead": {"<b>host</b>": 900.0},
}


@pytest.fixture
def page(tmp_path: Path) -> str:
    book, rules = AlertBook(tmp_path / "alerts.json", has_webhook=True), rules_of(PIPELINE)
    silences = [Silence("tables_lag", "ann", NOW_S, NOW_S + 60)]
    turn(book, VALUES, NOW_S, silences)
    own = book.entries("flights")
    rows = rows_of("flights", rules, judged_of(rules, VALUES), own, own, silences, NOW_S)
    return showing(replace(a_view(), rows=rows, told=book.told)).answer("/")[2].decode()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("pending", "states_unsent is 4"),
        ("inconclusive", "realised AUC 0.600, the floor is 0.6"),
        ("silenced", "silenced by ann until "),
        ("firing", "(explained by tables_lag)"),
    ],
)
def test_every_state_but_ok_is_shown_with_its_words(page: str, state: str, words: str) -> None:
    table = page.partition('<div class="problems" id="alerts">')[2].partition("</div>")[0]
    assert f'<td class="{state}">{state}</td>' in table
    assert words in html.unescape(table)
    assert "pull_failures" not in table


def test_a_message_is_shown_with_what_became_of_it_and_names_are_no_markup(page: str) -> None:
    messages = page.partition("<h2>Last messages</h2>")[2]
    assert "<td>waiting</td>" in messages
    assert "<b>host" not in page
