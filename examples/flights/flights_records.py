"""Flights as records: questions, departures and arrivals, in the order in which they would have been produced.

An event carries only what was known when it was asked. Everything is a function of the flight: a restart
produces the same questions, with the same ids, at the same moments.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flights_data import DAYS, FIRST_DAY, NEW_YORK, Flight, flights_of, weather_at

DAY_S = 86_400
YEAR_S = DAYS * DAY_S
EARLIEST_S = 3 * 3600
LATEST_S = 90 * 60
HOSTS = ("ops-1", "ops-2", "ops-3", "gate-1")


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """One record: the moment of its production in flight time (seconds), its kind, and its fields.

    Values of the fields whose names are in `TIMES` are flight time too; the clock translates them.
    """

    moment: float
    number: int
    kind: str
    key: str
    fields: dict[str, Any]


TIMES = ("asked_at", "scheduled_departure", "scheduled_arrival", "departed_at", "arrived_at")


def _never() -> bool:
    return False


def records(
    start: float, copies: int = 1, first_copy: int = 0, is_over: Callable[[], bool] = _never
) -> Iterator[Record]:
    """Every record from `start` (flight time) on, in order, until `is_over`: after 2013 comes the next lap.

    Raises:
        ValueError: there is to be no copy, and so no record.
    """
    if copies < 1:
        raise ValueError(f"{copies} copies of every flight are none: there would be no record")
    waiting: list[Record] = []
    for flight, lap in _flights_from(start):
        if is_over():
            return
        settled = flight.scheduled_departure + lap * YEAR_S - EARLIEST_S  # nothing of a later flight comes before
        while waiting and waiting[0].moment < settled:
            yield heapq.heappop(waiting)
        for copy in range(first_copy, first_copy + copies):
            for record in records_of_flight(flight, lap, copy):
                if record.moment >= start:
                    heapq.heappush(waiting, record)


def _flights_from(start: float) -> Iterator[tuple[Flight, int]]:
    """Flights and their laps by scheduled departure, from two days before: the latest take off a day late."""
    midnight = datetime.combine(FIRST_DAY, datetime.min.time(), NEW_YORK).timestamp()
    for n in itertools.count(max(0, int((start - midnight) // DAY_S) - 2)):
        lap, index = divmod(n, DAYS)
        for flight in flights_of(FIRST_DAY + timedelta(days=index)):
            yield flight, lap


def records_of_flight(flight: Flight, lap: int = 0, copy: int = 0) -> Iterator[Record]:
    """The questions about one flight, its departure and its arrival."""
    shift = lap * YEAR_S
    entity = _entity(flight, lap, copy)
    key = "/".join(str(part) for part in entity.values())
    chance = random.Random(f"{key} {shift}")
    number = chance.getrandbits(40)
    for n, asked in enumerate(_moments(flight, chance)):
        fields = {"question_id": f"{key}/{n}", "asked_at": asked + shift, "host": chance.choice(HOSTS)}
        yield Record(asked + shift, number + n, "asked", key, fields | entity | _known_at(flight, asked, shift))
    if flight.departure is not None:
        departed = {
            "departed_at": flight.departure + shift,
            "host": HOSTS[3],
            "departure_delay": flight.departure_delay,
        }
        yield Record(flight.departure + shift, number + 8, "departed", key, departed | entity)
    if flight.arrival is not None:
        arrived = {"arrived_at": flight.arrival + shift, "host": HOSTS[0], "arrival_delay": flight.arrival_delay}
        yield Record(flight.arrival + shift, number + 9, "arrived", key, arrived | entity)


def _entity(flight: Flight, lap: int, copy: int) -> dict[str, Any]:
    """The key's fields; a later lap and a further copy are entities of their own."""
    day = flight.day.isoformat() + (f"+{lap}y" if lap else "") + (f".{copy}" if copy else "")
    return {"carrier": flight.carrier, "flight": flight.number, "date": day, "origin": flight.origin}


def _moments(flight: Flight, chance: random.Random) -> list[float]:
    """Three to eight moments, from three hours before to ninety minutes after the scheduled departure."""
    end = LATEST_S if flight.arrival is None else min(LATEST_S, flight.arrival - 1 - flight.scheduled_departure)
    asked = (chance.uniform(-EARLIEST_S, LATEST_S) for _ in range(chance.randint(3, 8)))
    return sorted(flight.scheduled_departure + moment for moment in asked if moment < end)


def _known_at(flight: Flight, asked: float, shift: float) -> dict[str, Any]:
    left = flight.departure is not None and flight.departure <= asked
    local = datetime.fromtimestamp(flight.scheduled_departure, NEW_YORK)
    return {
        "dest": flight.dest,
        "tail": flight.tail,
        "distance": flight.distance,
        "scheduled_departure": flight.scheduled_departure + shift,
        "scheduled_arrival": flight.scheduled_arrival + shift,
        "scheduled_hour": local.hour,
        "weekday": local.isoweekday(),
        "departed": left,
        "departure_delay": flight.departure_delay if left else None,
        "plane_year": flight.plane_year,
        "seats": flight.seats,
    } | weather_at(flight.origin, int(asked))
