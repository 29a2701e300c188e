"""Windows of counters: what was counted within ten minutes, across restarts of who counts and of the monitor."""

from __future__ import annotations

import msgspec
import pytest

from contract.metric_types import sample_name
from contract.metrics import PROCESS_STARTED_SECONDS, STREAM_RECORDS
from monitoring.collect import counter_windows
from monitoring.collect.counter_windows import CounterWindows, Series
from monitoring.collect.scrape import Sample, Snapshot

NOW_S = 1_795_252_000.0


def look(at_s: float, *values: float, started_s: float = NOW_S - 3600, part: str = "streaming") -> Snapshot:
    """Of a process that counts records of tables 0, 1, ..."""
    name = sample_name(STREAM_RECORDS)
    counted = [Sample(part, name, {"pipeline": "p", "table": str(n)}, value) for n, value in enumerate(values)]
    return Snapshot(NOW_S + at_s, (*counted, Sample(part, PROCESS_STARTED_SECONDS, {}, started_s)))


def windows(*looks: Snapshot) -> CounterWindows:
    found = CounterWindows([STREAM_RECORDS])
    for each in looks:
        found.update(each)
    return found


def test_what_a_process_counted_long_before_the_first_look_is_not_of_now() -> None:
    assert windows(look(0, 100)).increase(STREAM_RECORDS) == 0
    assert windows(look(0, 100), look(3, 107)).increase(STREAM_RECORDS) == 7


def test_what_a_young_process_counted_is_of_now() -> None:
    assert windows(look(0, 100, started_s=NOW_S - 20)).increase(STREAM_RECORDS) == 100


def test_a_restart_loses_nothing() -> None:
    found = windows(look(0, 100), look(3, 110), look(6, 4, started_s=NOW_S + 5))
    assert found.increase(STREAM_RECORDS) == 14


def test_a_counter_that_appears_in_a_process_that_was_seen_began_at_0() -> None:
    found = windows(look(0, 100), look(3, 100, 5))
    assert found.by_label(STREAM_RECORDS, "table", pipeline="p") == {"1": 5}


@pytest.mark.parametrize(
    ("window_s", "age_s", "counted"), [(60, 50, 100), (60, 70, 0), (600, 590, 100), (600, 610, 0), (1800, 1790, 100)]
)
def test_a_process_that_is_first_seen_has_counted_in_the_window_if_it_began_in_it(
    window_s: float, age_s: float, counted: float
) -> None:
    found = CounterWindows([STREAM_RECORDS], window_s=window_s)
    found.update(look(0, part="other"))
    (added,) = found.update(look(3, 100, started_s=NOW_S + 3 - age_s))
    assert (added[1], found.increase(STREAM_RECORDS)) == (counted, counted)


@pytest.mark.parametrize(("silent_s", "counted"), [(50, 15), (70, 0)])
def test_a_process_that_does_not_answer_for_shorter_than_the_window_loses_nothing(
    silent_s: float, counted: float
) -> None:
    found = CounterWindows([STREAM_RECORDS], window_s=60)
    for each in (look(0, 100), look(silent_s, part="other"), look(silent_s + 3, 110, 5)):
        found.update(each)
    assert found.increase(STREAM_RECORDS) == counted


def test_an_update_tells_what_each_series_adds() -> None:
    found = windows(look(0, 100, 7))
    added = [(sample.labels["table"], by) for sample, by in found.update(look(3, 103, 2, 5))]
    assert added == [("0", 3), ("1", 2), ("2", 5)]


def test_increases_go_after_ten_minutes() -> None:
    seen = [look(0, 0), look(3, 10), look(400, 30)]
    assert windows(*seen).increase(STREAM_RECORDS) == 30
    assert windows(*seen).increase(STREAM_RECORDS, within_s=120) == 20
    assert windows(*seen, look(620, 30)).increase(STREAM_RECORDS) == 20
    assert windows(*seen, look(1020, 30)).increase(STREAM_RECORDS) == 0


def test_labels_that_are_given_must_be_equal() -> None:
    found = windows(look(0, 0, 0), look(3, 1, 2))
    assert found.increase(STREAM_RECORDS, table="1") == 2
    assert found.increase(STREAM_RECORDS, pipeline="other") == 0


def test_a_restarted_monitor_goes_on() -> None:
    before = windows(look(0, 100), look(3, 110))
    kept = msgspec.json.decode(msgspec.json.encode(before.kept()), type=list[Series])
    after = CounterWindows([STREAM_RECORDS], kept)
    after.update(look(30, 115))
    assert after.increase(STREAM_RECORDS) == 15


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter_windows, "MOST_SERIES", 50)
    looks = [look(3 * n, *range(n, n + 60)) for n in range(400)]
    kept = windows(*looks).kept()
    assert len(kept) == 50
    assert max(len(series.increases) for series in kept) <= 42


def test_series_of_a_process_that_is_gone_are_forgotten() -> None:
    assert windows(look(0, 0), look(3, 5), look(700, part="other")).kept() == []
