"""The window ends with the newest built row, and its files are those that may hold one of its rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from contract.layout import Places
from contract.records import SPAN_BUCKETS
from streaming.lake.built_table import BuiltTable, rows_table
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from streaming.rows.build_buckets import ensure_built
from tests.streaming.pipelines import MINIMAL
from training.window import newest_window

PIPELINE = load(MINIMAL)
BUCKET_S, HOLDOUT_S, WINDOW_S = 60, 300, 3600
SPAN_S = SPAN_BUCKETS * BUCKET_S


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})


@pytest.fixture
def table(places: Places) -> BuiltTable:
    table = rows_table(places, PIPELINE, compile_pipeline(PIPELINE).feature_types)
    ensure_built(table)
    return table


def build(table: BuiltTable, *buckets: int, state: str = "row") -> None:
    """One question in each of these buckets."""
    own = {"bucket": list(buckets), "span": [b // SPAN_S * SPAN_S for b in buckets], "state": [state] * len(buckets)}
    columns = [
        pa.array(own[field.name], field.type) if field.name in own else pa.nulls(len(buckets), field.type)
        for field in table.schema
    ]
    write_deltalake(table.url, pa.table(columns, schema=table.schema), mode="append")


def spans(files: tuple[str, ...]) -> list[int]:
    """The spans of a window's files, all of which hold rows."""
    assert all("/state=row/" in file for file in files)
    return sorted(int(file.partition("span=")[2].partition("/")[0]) for file in files)


def test_without_a_table_or_a_row_there_is_no_window(places: Places, table: BuiltTable, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert newest_window(Places(elsewhere, {"HOTPATH_HDFS": f"file://{elsewhere}"}), PIPELINE) is None
    build(table, 0, state="expired")
    assert newest_window(places, PIPELINE) is None


def test_the_window_ends_with_the_newest_row_and_its_last_part_is_held_out(places: Places, table: BuiltTable) -> None:
    newest = 7 * SPAN_S + 660
    build(table, newest - BUCKET_S, newest)
    build(table, newest + BUCKET_S, state="expired")
    window = newest_window(places, PIPELINE)
    assert window is not None
    assert window.end == newest + BUCKET_S
    assert (window.end - window.split, window.end - window.start) == (HOLDOUT_S, WINDOW_S)
    assert (window.table, window.version) == (table.url, 2)
    assert [int(moment.timestamp()) for moment in window.moments] == [window.start, window.split, window.end]


def test_only_files_that_reach_into_the_window_are_read(places: Places, table: BuiltTable) -> None:
    start = 5 * SPAN_S
    newest = start + WINDOW_S - BUCKET_S
    build(table, start - BUCKET_S, start, newest)
    window = newest_window(places, PIPELINE)
    assert window is not None
    assert window.start == start
    assert spans(window.files) == [start, newest // SPAN_S * SPAN_S]
