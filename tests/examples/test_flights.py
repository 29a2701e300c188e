"""The example asks honest questions: nothing in an event was unknown when it was asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from itertools import islice, takewhile
from pathlib import Path

import pytest
from flights_clock import START, Clock, load_or_anchor
from flights_data import NEW_YORK, Flight, flights_of
from flights_records import YEAR_S, Record, records, records_of_flight

DAY = date(2013, 1, 15)


@pytest.fixture(scope="module")
def of_a_day() -> list[tuple[Flight, list[Record]]]:
    return [(flight, list(records_of_flight(flight))) for flight in flights_of(DAY)]


def test_the_keys_of_a_day_are_unique() -> None:
    keys = Counter((f.carrier, f.number, f.day, f.origin) for f in flights_of(DAY))
    assert len(keys) > 800
    assert set(keys.values()) == {1}


def test_a_flight_is_asked_about_from_three_hours_before_to_ninety_minutes_after(
    of_a_day: list[tuple[Flight, list[Record]]],
) -> None:
    leads = [r.moment - f.scheduled_departure for f, of_flight in of_a_day for r in of_flight if r.kind == "asked"]
    assert min(leads) >= -3 * 3600
    assert max(leads) <= 90 * 60
    assert min(leads) < -2.9 * 3600
    assert max(leads) > 85 * 60


def test_a_flight_is_asked_about_up_to_eight_times(of_a_day: list[tuple[Flight, list[Record]]]) -> None:
    counts = Counter(sum(r.kind == "asked" for r in of_flight) for _, of_flight in of_a_day)
    assert max(counts) == 8
    assert sum(n for asked, n in counts.items() if asked >= 3) > 0.9 * sum(counts.values())


def test_no_flight_is_asked_about_after_it_has_arrived(of_a_day: list[tuple[Flight, list[Record]]]) -> None:
    for flight, of_flight in of_a_day:
        if flight.arrival is not None:
            assert all(r.moment < flight.arrival for r in of_flight if r.kind == "asked")


def test_an_event_knows_a_departure_only_once_it_has_happened(of_a_day: list[tuple[Flight, list[Record]]]) -> None:
    seen: Counter[bool] = Counter()
    for flight, of_flight in of_a_day:
        for record in of_flight:
            if record.kind != "asked":
                continue
            left = flight.departure is not None and flight.departure <= record.moment
            assert record.fields["departed"] == left
            assert (record.fields["departure_delay"] is not None) == left
            assert "arrival_delay" not in record.fields
            seen[left] += 1
    assert min(seen.values()) > 100


def test_some_flights_never_arrive_and_have_no_label() -> None:
    february = [f for day in (8, 9) for f in flights_of(date(2013, 2, day))]  # a blizzard
    never = [f for f in february if f.arrival is None]
    assert len(never) > 100
    assert all(r.kind != "arrived" for f in never for r in records_of_flight(f))


def test_scheduled_flights_take_forty_minutes_to_twelve_hours(of_a_day: list[tuple[Flight, list[Record]]]) -> None:
    hours = [(f.scheduled_arrival - f.scheduled_departure) / 3600 for f, _ in of_a_day]
    assert min(hours) > 0.6
    assert max(hours) < 12


def test_records_come_in_order_and_a_restart_gives_the_same() -> None:
    first = list(islice(records(START), 3000))
    assert [r.moment for r in first] == sorted(r.moment for r in first)
    later = first[1500].moment
    again = list(islice(records(later), 1000))
    assert again == [r for r in first if r.moment >= later][:1000]


def test_the_next_lap_has_keys_of_its_own() -> None:
    flight = next(iter(flights_of(DAY)))
    of_first, of_second = list(records_of_flight(flight)), list(records_of_flight(flight, lap=1))
    assert not {r.key for r in of_first} & {r.key for r in of_second}
    assert of_second[-1].moment == of_first[-1].moment + YEAR_S


def test_after_the_year_the_flights_go_on() -> None:
    new_year = datetime(2014, 1, 1, 12, tzinfo=NEW_YORK).timestamp()
    soon = list(takewhile(lambda r: r.moment < new_year + 600, records(new_year)))
    assert any(r.fields["date"].endswith("+1y") for r in soon)


def test_copies_have_keys_of_their_own() -> None:
    keys = defaultdict(set)
    for record in islice(records(START, copies=3), 2000):
        keys[record.key.split("/")[2].partition(".")[2]].add(record.key)
    assert set(keys) == {"", "1", "2"}
    assert not keys[""] & keys["1"]


def test_the_clock_is_affine_and_remembered(tmp_path: Path) -> None:
    clock = load_or_anchor(tmp_path / "clock.json", 60.0, now=1000.0)
    assert clock == Clock(1000.0, START, 60.0)
    assert clock.flight(1010.0) == START + 600
    assert clock.real(clock.flight(1234.5)) == pytest.approx(1234.5)
    assert load_or_anchor(tmp_path / "clock.json", 60.0, now=9999.0) == clock


def test_a_stored_clock_of_another_speed_is_refused(tmp_path: Path) -> None:
    load_or_anchor(tmp_path / "clock.json", 60.0, now=1000.0)
    with pytest.raises(SystemExit, match="use another name"):
        load_or_anchor(tmp_path / "clock.json", 120.0, now=1000.0)


def test_now_begins_on_a_weekday_morning_after_three_weeks_of_data() -> None:
    start = datetime.fromtimestamp(START, NEW_YORK)
    assert (start.hour, start.isoweekday() <= 5) == (8, True)
    assert (start.date() - date(2013, 1, 1)).days == 21


def test_no_copies_are_refused_and_the_records_end_when_it_is_over_though_none_has_come() -> None:
    with pytest.raises(ValueError, match="0 copies of every flight are none"):
        next(records(START, copies=0))
    assert list(records(START, is_over=lambda: True)) == []
