"""The holdout ends with the newest built row, the window before it; their files are those that may hold their rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from contract.layout import Places
from contract.records import SPAN_BUCKETS
from streaming.lake.built_table import BuiltTable, rows_table
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from streaming.rows.build_buckets import ensure_built
from tests.streaming.pipelines import MINIMAL
from training.window import Ranges, Window, has_new_rows, newest_window

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


def newest_of(places: Places, excluded: Ranges = ()) -> Window:
    window = newest_window(places, PIPELINE, excluded)
    assert window is not None
    return window


def test_the_holdout_ends_with_the_newest_row_and_the_whole_window_lies_before_it(
    places: Places, table: BuiltTable
) -> None:
    newest = 7 * SPAN_S + 660
    build(table, newest - BUCKET_S, newest)
    build(table, newest + BUCKET_S, state="expired")
    window = newest_of(places)
    assert window.end == newest + BUCKET_S
    assert (window.end - window.split, window.split - window.start) == (HOLDOUT_S, WINDOW_S)
    assert (window.table, window.version) == (table.url, 2)
    assert [int(moment.timestamp()) for moment in window.moments] == [window.start, window.split, window.end]


def test_only_files_that_reach_into_window_or_holdout_are_read(places: Places, table: BuiltTable) -> None:
    start = 5 * SPAN_S
    newest = start + WINDOW_S + HOLDOUT_S - BUCKET_S
    build(table, start - BUCKET_S, start, newest)
    window = newest_of(places)
    assert window.start == start
    assert spans(window.files) == [start, newest // SPAN_S * SPAN_S]


def test_a_holdout_as_long_as_the_window_trains(places: Places, table: BuiltTable) -> None:
    training = replace(PIPELINE.training, window=timedelta(minutes=1), holdout=timedelta(minutes=1))
    build(table, 5 * SPAN_S, 5 * SPAN_S + BUCKET_S)
    window = newest_window(places, replace(PIPELINE, training=training))
    assert window is not None
    assert (window.start, window.split) == (5 * SPAN_S, 5 * SPAN_S + BUCKET_S), "one bucket each"


def test_rows_are_new_when_a_commit_brought_some_and_not_when_files_were_rewritten(
    places: Places, table: BuiltTable
) -> None:
    newest = 7 * SPAN_S + 3 * BUCKET_S
    build(table, newest - BUCKET_S)
    build(table, newest)
    before = newest_of(places)
    assert not has_new_rows(PIPELINE, before, before)

    DeltaTable(table.url).optimize.compact()
    compacted = newest_of(places)
    assert compacted.files != before.files
    assert not has_new_rows(PIPELINE, compacted, before)

    build(table, newest + BUCKET_S, state="expired")
    build(table, newest - 4 * SPAN_S)
    assert not has_new_rows(PIPELINE, newest_of(places), before), "neither is in the window"

    build(table, newest - BUCKET_S)
    DeltaTable(table.url).optimize.compact()
    assert has_new_rows(PIPELINE, newest_of(places), before), "what a compaction rewrote since counts, too"


def test_rows_are_new_where_the_log_does_not_reach_back_or_other_buckets_are_excluded(
    places: Places, table: BuiltTable
) -> None:
    build(table, 7 * SPAN_S)
    before = newest_of(places)
    assert has_new_rows(PIPELINE, newest_of(places, ((0, SPAN_S),)), before)
    build(table, 0, state="expired")
    log = Path(table.url.removeprefix("file://")) / "_delta_log"
    (log / f"{before.version + 1:020d}.json").rename(log / "gone")
    assert has_new_rows(PIPELINE, replace(before, version=before.version + 1, files=("other",)), before)
