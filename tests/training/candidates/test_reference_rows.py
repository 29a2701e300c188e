"""Reference rows: spread over the holdout, found by their event's identity, and only what JSON can hold."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from contract.layout import Places
from contract.records import SPAN_BUCKETS
from contract.timestamps import from_us, to_us
from streaming.lake.built_table import BuiltTable, rows_table
from streaming.lake.hot_tables import arrow_schema
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from streaming.rows.build_buckets import ensure_built
from tests.streaming.pipelines import MINIMAL
from training.candidates import reference_rows as module
from training.candidates.reference_rows import ROWS, newest_question, reference_rows
from training.evaluation.holdout_metrics import Scored
from training.window import Window

PIPELINE = load(MINIMAL)
SPLIT, END = 600, 660
FIRST_US = 1_767_225_600_000_000
MANY = 3000


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})


@pytest.fixture
def table(places: Places) -> BuiltTable:
    table = rows_table(places, PIPELINE, compile_pipeline(PIPELINE).feature_types)
    ensure_built(table)
    return table


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """H2O's answer on a row of the holdout is its index."""
    said = SimpleNamespace(labels=lambda _, rows: [True] * len(rows), leaves=lambda _, rows: [[row] for row in rows])
    monkeypatch.setattr(module, "algorithm_of", lambda _: said)


class Holdout:
    def __getitem__(self, picked: tuple[list[int], slice]) -> list[int]:
        return picked[0]


def write(table: BuiltTable, rows: list[dict[str, Any]]) -> Window:
    length = SPAN_BUCKETS * 60
    full = [row | {"span": row["bucket"] // length * length, "state": "row"} for row in rows]
    columns = [pa.array([row.get(field.name) for row in full], field.type) for field in table.schema]
    write_deltalake(table.url, pa.table(columns, schema=table.schema), mode="append")
    return Window(table.url, 1, 0, SPLIT, END, ())


def row(offset: int, stamp: int, **more: Any) -> dict[str, Any]:
    own = {"partition": 0, "offset": offset, "append_time": from_us(FIRST_US + stamp), "bucket": SPLIT}
    return own | {"as_of": from_us(FIRST_US), "f_temperature": float(stamp)} | more


def scored(rows: list[dict[str, Any]]) -> Scored:
    stamps = [to_us(each["append_time"]) for each in rows]
    offsets, numbers = [each["offset"] for each in rows], np.arange(len(rows))
    return Scored(numbers / 1e6, numbers > 0, numbers, numbers * 0, np.array(offsets), np.array(stamps), {})


def references(places: Places, window: Window, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(reference_rows(places, PIPELINE, window, None, Holdout(), scored(rows)))


def events(places: Places, rows: list[dict[str, Any]]) -> None:
    names = ("partition", "offset", "append_time", "bucket")
    columns = {name: [each[name] for each in rows] for name in names}
    kind = arrow_schema(PIPELINE, "events").field("event").type
    asked = pa.array([event(each["f_temperature"]) for each in rows], kind)
    write_deltalake(places.table(PIPELINE.name, "events"), pa.table(columns | {"event": asked}), mode="append")


def event(temperature: float) -> dict[str, Any]:
    return {"reading": 1, "machine": 2, "shift": 3, "temperature": temperature}


def test_of_a_topic_that_was_made_anew_each_row_keeps_its_own_answer_and_event(
    places: Places, table: BuiltTable
) -> None:
    old, new = row(7, 1000), row(7, 2000)
    events(places, [new, old])
    found = references(places, write(table, [new, old]), [old, new])
    assert [(each["features"]["temperature"], each["leaves"]) for each in found] == [(1000.0, [0]), (2000.0, [1])]
    assert [each["event"] for each in found] == [event(1000.0), event(2000.0)]


def test_of_a_large_holdout_a_few_rows_are_taken_evenly(places: Places, table: BuiltTable) -> None:
    rows = [row(number, number) for number in range(MANY)]
    events(places, rows[:1])
    found = references(places, write(table, rows), rows)
    assert len(found) == ROWS
    taken = [each["leaves"][0] for each in found]
    assert taken == [int(each["features"]["temperature"]) for each in found]
    assert (taken[0], taken[-1]) == (0, MANY - 1)
    assert max(np.diff(taken)) <= 2 * MANY / ROWS
    assert [each["event"] for each in found[:2]] == [event(0.0), None], "an event that retention took is left out"


def test_a_row_with_an_infinity_is_no_reference_and_a_missing_number_is_null(places: Places, table: BuiltTable) -> None:
    rows = [row(0, 0, f_temperature=math.inf), row(1, 1, f_temperature=math.nan), row(2, 2)]
    events(places, rows[2:])
    found = references(places, write(table, rows), rows)
    assert [(each["features"]["temperature"], each["leaves"]) for each in found] == [(None, [1]), (2.0, [2])]


def test_buckets_of_lost_records_give_no_reference_and_no_newest_question(places: Places, table: BuiltTable) -> None:
    trained = [row(number, number, bucket=bucket) for number, bucket in enumerate((480, 540))]
    trained[1]["as_of"] = datetime(2026, 2, 1, tzinfo=UTC)
    held = row(2, 2)
    events(places, [held])
    window = write(table, [*trained, held])
    assert newest_question(PIPELINE, window) == trained[1]["as_of"]
    excluded = Window(window.table, window.version, 0, SPLIT, END, (), ((540, END),))
    assert newest_question(PIPELINE, excluded) == trained[0]["as_of"]
    assert references(places, excluded, [held]) == []
