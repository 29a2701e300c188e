"""The files of a built table that no version needs any more go; those that a kept candidate names stay."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from contract.layout import Places
from streaming.lake.built_table import PARTITIONS, BuiltTable, rows_table
from streaming.lake.built_upkeep import vacuum
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from streaming.rows.build_buckets import ensure_built
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)


@pytest.fixture
def table(tmp_path: Path) -> BuiltTable:
    """A table that was built three times: versions 1, 2 and 3, of which each replaced all files before it."""
    places = Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})
    table = rows_table(places, PIPELINE, compile_pipeline(PIPELINE).feature_types)
    ensure_built(table)
    for number in range(3):
        own = {"id": f"q{number}", "bucket": 60, "span": 0, "state": "row"}
        columns = [pa.array([own.get(field.name)], field.type) for field in table.schema]
        rows = pa.table(columns, schema=table.schema)
        write_deltalake(table.url, rows, mode="overwrite", partition_by=list(PARTITIONS))
    return table


def ids(table: BuiltTable, version: int) -> list[str]:
    found: list[str] = DeltaTable(table.url, version=version).to_pyarrow_table()["id"].to_pylist()
    return found


def test_what_no_version_needs_goes_and_the_files_of_kept_versions_stay(table: BuiltTable) -> None:
    assert vacuum(table, [2], removed_for_hours=0) == 1
    assert (ids(table, 2), ids(table, 3)) == (["q1"], ["q2"])
    with pytest.raises(FileNotFoundError):
        ids(table, 1)


def test_what_was_removed_once_is_not_removed_again(table: BuiltTable) -> None:
    DeltaTable(table.url).create_checkpoint()
    assert vacuum(table, [], removed_for_hours=0) == 2
    assert vacuum(table, [], removed_for_hours=0) == 0, "the log still names them"


def test_without_a_candidate_only_the_newest_version_stays(table: BuiltTable) -> None:
    assert vacuum(table, [], removed_for_hours=0) == 2
    assert ids(table, 3) == ["q2"]


def test_what_was_replaced_lately_stays_for_those_who_are_reading_it(table: BuiltTable) -> None:
    assert vacuum(table, []) == 0
    assert [ids(table, version) for version in (1, 2, 3)] == [["q0"], ["q1"], ["q2"]]


def test_what_a_killed_build_left_goes_once_it_is_old(table: BuiltTable) -> None:
    folder = Path(table.url.removeprefix("file://")) / "span=0" / "state=row"
    old, young = folder / "old.parquet", folder / "young.parquet"
    for file in (old, young):
        file.touch()
    two_hours_ago = time.time() - 7200
    os.utime(old, (two_hours_ago, two_hours_ago))
    assert vacuum(table, [1, 2, 3]) == 1
    assert (old.exists(), young.exists()) == (False, True)
    assert [ids(table, version) for version in (1, 2, 3)] == [["q0"], ["q1"], ["q2"]]


def test_a_kept_version_whose_log_is_gone_or_that_is_not_there_yet_spares_nothing(table: BuiltTable) -> None:
    DeltaTable(table.url).create_checkpoint()
    for version in (0, 1):
        (Path(table.url.removeprefix("file://")) / "_delta_log" / f"{version:020d}.json").unlink()
    assert vacuum(table, [1, 9], removed_for_hours=0) == 2
    assert ids(table, 3) == ["q2"]
