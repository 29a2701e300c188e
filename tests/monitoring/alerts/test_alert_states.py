"""How an alert moves: pending, firing, resolved, inconclusive; also over a restart in each of these states."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.pipeline import AlertSettings, Pipeline
from monitoring.alerts.alert_book import AlertBook
from monitoring.alerts.alert_entry import SHOWN_RESOLVED_S
from monitoring.judge.reading import Reading
from tests.monitoring.alerts.turns import NOW_S, Values, said, turn
from tests.monitoring.judge.looks import PIPELINE

BAD, GOOD = {"tables_lag": 500.0}, {"tables_lag": 1.0}


def with_alerts(*alerts: AlertSettings, floors: dict[str, float] | None = None) -> Pipeline:
    monitoring = replace(PIPELINE.monitoring, alerts=alerts, floors=floors or {})
    return replace(PIPELINE, monitoring=monitoring)


SLOW = with_alerts(AlertSettings("tables_lag", lasts=timedelta(seconds=20)))


@pytest.fixture
def book(tmp_path: Path) -> AlertBook:
    return AlertBook(tmp_path / "alerts.json", has_webhook=False)


def state(book: AlertBook) -> str:
    return next((entry.state for entry in book.entries("flights", "")), "ok")


def test_it_fires_once_it_has_been_bad_for_as_long_as_it_says_and_resolves_as_calmly(book: AlertBook) -> None:
    expected = [
        (0, BAD, "pending"), (15, BAD, "pending"), (20, BAD, "firing"), (25, GOOD, "firing"), (30, BAD, "firing"),
        (35, GOOD, "firing"), (54, GOOD, "firing"), (55, GOOD, "resolved"), (60, BAD, "pending"), (65, GOOD, "ok"),
    ]  # fmt: skip
    for after_s, values, then in expected:
        turn(book, values, NOW_S + after_s, pipeline=SLOW)
        assert state(book) == then, after_s
    assert said(book) == [("firing", "tables_lag"), ("resolved", "tables_lag")]


@pytest.mark.parametrize(
    ("before", "state_before", "after", "state_after"),
    [
        ([], "ok", BAD, "pending"),
        ([(0, BAD)], "pending", BAD, "firing"),
        ([(0, BAD)], "pending", GOOD, "ok"),
        ([(0, BAD), (20, BAD)], "firing", BAD, "firing"),
        ([(0, BAD), (20, BAD), (21, GOOD)], "firing", GOOD, "resolved"),
        ([(0, BAD), (20, BAD), (21, GOOD), (41, GOOD)], "resolved", GOOD, "resolved"),
        ([(0, BAD), (20, BAD), (21, GOOD), (41, GOOD)], "resolved", BAD, "pending"),
    ],
)
def test_a_restart_changes_nothing_in_whatever_state(
    tmp_path: Path, before: list[tuple[float, Values]], state_before: str, after: Values, state_after: str
) -> None:
    file = tmp_path / "alerts.json"
    book = AlertBook(file, has_webhook=False)
    for after_s, values in before:
        turn(book, values, NOW_S + after_s, pipeline=SLOW)
    assert state(book) == state_before
    told = said(book)
    begun_again = AlertBook(file, has_webhook=False)
    assert (state(begun_again), said(begun_again)) == (state_before, told)
    turn(begun_again, after, NOW_S + 60, pipeline=SLOW)
    assert state(begun_again) == state_after
    assert len([each for each in said(begun_again) if each[0] == "firing"]) <= 1, "nothing is said twice"


def test_what_has_resolved_is_shown_for_an_hour(book: AlertBook) -> None:
    turn(book, BAD)
    turn(book, GOOD)
    turn(book, GOOD, NOW_S + SHOWN_RESOLVED_S)
    assert state(book) == "resolved"
    turn(book, GOOD, NOW_S + SHOWN_RESOLVED_S + 1)
    assert state(book) == "ok"


FLOOR = with_alerts(floors={"auc": 0.6})


def auc(low: float, high: float, count: float = 100) -> Values:
    return {"auc": Reading((low + high) / 2, "the AUC", low=low, high=high, count=count)}


def test_a_figure_fires_and_resolves_by_its_whole_interval(book: AlertBook) -> None:
    expected = [
        (auc(0.55, 0.65), "inconclusive"), (auc(0.7, 0.8), "ok"), (auc(0.5, 0.61), "inconclusive"),
        (auc(0.5, 0.59), "firing"), (auc(0.5, 0.61), "firing"), (auc(0.6, 0.7), "resolved"),
        (auc(0.55, 0.65), "inconclusive"),
    ]  # fmt: skip
    for after_s, (values, then) in enumerate(expected):
        turn(book, values, NOW_S + after_s, pipeline=FLOOR)
        assert state(book) == then, after_s
    assert said(book) == [("firing", "auc"), ("resolved", "auc")], "what is inconclusive is not sent"


def test_a_ceiling_is_judged_by_the_other_end(book: AlertBook) -> None:
    ceiling = with_alerts(floors={"log_loss": 0.5})
    for low, high, then in ((0.4, 0.6, "inconclusive"), (0.51, 0.6, "firing"), (0.4, 0.5, "resolved")):
        turn(book, {"log_loss": Reading(0.5, "", low=low, high=high, count=100)}, pipeline=ceiling)
        assert state(book) == then


def test_fewer_than_the_minimum_tell_nothing(book: AlertBook) -> None:
    strict = with_alerts(AlertSettings("auc", minimum=200), floors={"auc": 0.6})
    turn(book, auc(0.4, 0.5), pipeline=strict)
    assert state(book) == "ok"
    turn(book, auc(0.4, 0.5, count=200), pipeline=strict)
    assert state(book) == "firing"
    turn(book, auc(0.7, 0.8), pipeline=strict)
    assert state(book) == "firing", "it stays as it was"


@pytest.mark.parametrize(("no_data", "states"), [("ok", ["ok", "firing", "resolved"]), ("firing", ["firing"] * 3),
                                                 ("keep", ["ok", "firing", "firing"])])  # fmt: skip
def test_no_data_means_what_the_alert_says(book: AlertBook, no_data: str, states: list[str]) -> None:
    settings = AlertSettings("tables_lag", no_data=no_data)  # type: ignore[arg-type]
    found = []
    for value in (None, 500.0, None):
        turn(book, {"tables_lag": value}, pipeline=with_alerts(settings))
        found.append(state(book))
    assert found == states


def test_what_is_pending_does_not_fire_while_there_is_no_data(book: AlertBook) -> None:
    turn(book, BAD, pipeline=SLOW)
    turn(book, {"tables_lag": None}, NOW_S + 60, pipeline=SLOW)
    assert state(book) == "pending"


def test_each_host_is_an_alert_of_its_own_and_one_that_is_gone_is_well(book: AlertBook) -> None:
    turn(book, {"clock_ahead": {"a": 900.0, "b": 1.0, "c": 800.0}})
    assert {entry.item for entry in book.firing("flights")} == {"a", "c"}
    turn(book, {"clock_ahead": {"a": 900.0, "b": 1.0}})
    assert {entry.item for entry in book.firing("flights")} == {"a"}
    turn(book, {"clock_ahead": None})
    assert {entry.item for entry in book.firing("flights")} == {"a"}, "no host at all: nobody knows"


def test_an_alert_that_is_turned_off_resolves(book: AlertBook) -> None:
    turn(book, BAD)
    turn(book, {}, pipeline=with_alerts(AlertSettings("tables_lag", off=True)))
    assert said(book) == [("firing", "tables_lag"), ("resolved", "tables_lag")]


def test_a_clock_that_is_set_back_keeps_nothing_from_firing(book: AlertBook) -> None:
    turn(book, BAD, NOW_S + 86_400, pipeline=SLOW)
    turn(book, BAD, NOW_S, pipeline=SLOW)
    turn(book, BAD, NOW_S + 20, pipeline=SLOW)
    assert state(book) == "firing"
