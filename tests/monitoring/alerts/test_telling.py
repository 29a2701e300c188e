"""What one broken thing brings about comes in one message; silences keep messages back, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contract.alert_catalogue import ALERTS
from contract.pipeline import AlertSettings
from monitoring.alerts.alert_book import AlertBook
from monitoring.alerts.alert_messages import Message
from monitoring.alerts.causes import CAUSES
from monitoring.alerts.silences import Silence, read_silences, write_silences
from monitoring.alerts.telling import RECOVERS_S
from tests.monitoring.alerts.turns import NOW_S, Values, said, turn
from tests.monitoring.judge.looks import PIPELINE

BROKER: Values = {"engine_down": {"kafka-onprem": 1.0}}
SYMPTOMS: Values = {
    "mirror_lag": {"a": 90.0, "b": 80.0},
    "tables_lag": 200.0,
    "rows_lag": 900.0,
    "predictions_on_disk": 5e6,
}


@pytest.fixture
def book(tmp_path: Path) -> AlertBook:
    return AlertBook(tmp_path / "alerts.json", has_webhook=False)


def messages(book: AlertBook) -> list[Message]:
    return [told.message for told in reversed(book.told)]


def test_a_dead_broker_is_one_message_that_lists_what_it_explains(book: AlertBook) -> None:
    for after_s in (0, 12, 20):
        turn(book, {**BROKER, **SYMPTOMS}, NOW_S + after_s)
    (told,) = messages(book)
    assert (told.code, told.severity, told.pipeline) == ("engine_down:kafka-onprem", "critical", "")
    assert {line.split(": ")[1].partition(":")[0] for line in told.explains} == SYMPTOMS.keys()
    assert {entry.alert for entry in book.firing("flights")} == SYMPTOMS.keys(), "they fire, and are shown"
    turn(book, {**BROKER, **SYMPTOMS, "no_labels": 100.0}, NOW_S + 30)
    assert len(messages(book)) == 1, "what comes later is explained, too"


def test_what_goes_on_after_its_cause_is_told_once_it_had_time_to_recover(book: AlertBook) -> None:
    turn(book, {**BROKER, **SYMPTOMS})
    turn(book, {**BROKER, **SYMPTOMS}, NOW_S + 12)
    well: Values = {"engine_down": {"kafka-onprem": 0.0}}
    for after_s in (15, 18, 21, 24, 27, 24 + RECOVERS_S - 1):
        turn(book, {**well, "predictions_on_disk": 0.0, "tables_lag": 200.0}, NOW_S + after_s)
    assert said(book) == [("firing", "engine_down:kafka-onprem"), ("resolved", "engine_down:kafka-onprem")]
    turn(book, {**well, "tables_lag": 200.0}, NOW_S + 24 + RECOVERS_S)
    assert said(book)[2:] == [("firing", "tables_lag")]


def test_a_symptom_waits_for_a_cause_that_is_pending_and_is_told_where_that_comes_to_nothing(book: AlertBook) -> None:
    turn(book, {**BROKER, "tables_lag": 200.0})
    assert said(book) == [], "the broker may be about to be told"
    turn(book, {"engine_down": {"kafka-onprem": 0.0}, "tables_lag": 200.0}, NOW_S + 3)
    assert said(book) == [("firing", "tables_lag")]


def test_another_pipelines_trouble_explains_nothing(book: AlertBook) -> None:
    other = replace(PIPELINE, name="machines")
    turn(book, {"training_failures": 5.0}, pipeline=other)
    book.update(NOW_S, {}, {"machines", "flights"})
    turn(book, {"training_stands": 9e9})
    assert ("firing", "training_stands") in said(book)


def test_hosts_that_turn_wrong_together_are_one_message(book: AlertBook) -> None:
    turn(book, {"clock_ahead": {f"host-{n}": 100.0 + n for n in range(40)}})
    (told,) = messages(book)
    assert (told.code, told.value, len(told.items)) == ("clock_ahead", 139.0, 20)
    assert told.text.startswith("clock_ahead is 139; and 39 more: host-0, ")


def test_every_cause_and_symptom_is_an_alert_and_no_chain_comes_back_to_its_beginning() -> None:
    known = set(ALERTS)
    edges: dict[str, set[str]] = {}
    for cause in CAUSES:
        assert {cause.alert, *cause.explains} <= known, cause
        edges.setdefault(cause.alert, set()).update(cause.explains)

    def reached(alert: str, seen: frozenset[str]) -> set[str]:
        assert alert not in seen, f"{alert} explains itself"
        return {alert}.union(*(reached(each, seen | {alert}) for each in edges.get(alert, ())))

    for alert in edges:
        reached(alert, frozenset())


def silence(until_s: float, **of: str) -> Silence:
    return Silence("tables_lag", "ann", NOW_S, until_s, **of)


def test_a_silenced_alert_fires_without_a_message_until_the_silence_ends(book: AlertBook) -> None:
    lag = {"tables_lag": 200.0}
    silences = [silence(NOW_S + 60)]
    turn(book, lag, NOW_S, silences)
    assert [entry.state for entry in book.firing("flights")] == ["firing"]
    assert said(book) == []
    turn(book, lag, NOW_S + 59, silences)
    assert said(book) == []
    turn(book, lag, NOW_S + 60, silences)
    assert said(book) == [("firing", "tables_lag")]


def test_what_was_told_before_it_was_silenced_is_told_to_have_resolved(book: AlertBook) -> None:
    turn(book, {"tables_lag": 200.0})
    turn(book, {"tables_lag": 0.0}, NOW_S + 5, [silence(NOW_S + 60)])
    assert said(book) == [("firing", "tables_lag"), ("resolved", "tables_lag")]


@pytest.mark.parametrize(
    ("of", "is_silenced"),
    [({}, True), ({"pipeline": "flights"}, True), ({"pipeline": "machines"}, False), ({"item": "x"}, False)],
)
def test_a_silence_is_of_what_it_names(book: AlertBook, of: dict[str, str], is_silenced: bool) -> None:
    turn(book, {"tables_lag": 200.0}, NOW_S, [silence(NOW_S + 60, **of)])
    assert (said(book) == []) is is_silenced


def test_silences_outlive_the_monitor_and_end_by_themselves(tmp_path: Path) -> None:
    file = tmp_path / "monitor" / "silences.json"
    assert read_silences(file, NOW_S) == []
    kept = [silence(NOW_S + 60), silence(NOW_S + 120, pipeline="flights")]
    write_silences(file, kept)
    assert read_silences(file, NOW_S) == kept
    assert read_silences(file, NOW_S + 60) == kept[1:]
    for damaged in ("{", '[{"alert": 5}]', "[" * 100_000):
        file.write_text(damaged)
        assert read_silences(file, NOW_S) == []


def test_an_alert_of_the_teams_own_is_told_with_its_severity(book: AlertBook) -> None:
    own = AlertSettings("waiting", "hotpath_streaming_behind_records", above=1000.0, severity="critical")
    pipeline = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, alerts=(own,)))
    turn(book, {"waiting": 5000.0}, pipeline=pipeline)
    (told,) = messages(book)
    assert (told.code, told.severity, told.threshold, told.side, told.unit) == (
        "waiting",
        "critical",
        1000.0,
        "above",
        "records",
    )


def test_a_killed_part_is_one_message_whether_its_engine_is_seen_to_be_away_or_not(book: AlertBook) -> None:
    ended: Values = {"part_ended": {"kafka-cloud": 1.0}}
    turn(book, {**ended, "engine_down": {"kafka-cloud": 0.0}})
    assert said(book) == [("firing", "part_ended:kafka-cloud")]
    turn(book, {"part_ended": None, "engine_down": {"kafka-cloud": 0.0}}, NOW_S + 60)
    assert said(book)[1:] == [("resolved", "part_ended:kafka-cloud")]


def test_a_killed_part_is_told_by_its_engine_where_that_stays_away(book: AlertBook) -> None:
    both: Values = {"part_ended": {"kafka-cloud": 1.0}, "engine_down": {"kafka-cloud": 1.0}}
    for after_s in (0, 6, 12):
        turn(book, both, NOW_S + after_s)
    (told,) = messages(book)
    assert told.code == "engine_down:kafka-cloud"
    assert told.explains[0].startswith("part_ended:kafka-cloud: ")


def test_the_silence_of_another_part_is_not_explained_by_one_that_ended(book: AlertBook) -> None:
    for after_s in (0, 10):
        turn(book, {"part_ended": {"trainer": 1.0}, "part_silent": {"trainer": 1.0, "pull": 1.0}}, NOW_S + after_s)
    assert said(book) == [("firing", "part_ended:trainer"), ("firing", "part_silent:pull")]
