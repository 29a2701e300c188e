"""Replaced files of a table go once they have been replaced for long enough, and nothing else does."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from streaming.lake.built_upkeep import REMOVED_FOR_HOURS
from streaming.lake.delta_tables import add_actions
from streaming.lake.hot_tables import PROPERTIES
from streaming.lake.hot_upkeep import REPLACED_FOR
from streaming.lake.vacuum import remove_files, remove_folders, remove_replaced

NOW = datetime.now(UTC)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Of a table whose one file was replaced two hours ago, one hour ago, and just now: the files in order."""
    found = []
    for version, age in enumerate((3, 2, 1, 0)):
        rows = pa.table({"bucket": [60 * version], "value": [version]})
        write_deltalake(tmp_path, rows, mode="overwrite", partition_by=["bucket"], configuration=dict(PROPERTIES))
        stamp = (NOW - timedelta(hours=age)).timestamp()
        os.utime(tmp_path / "_delta_log" / f"{version:020d}.json", (stamp, stamp))
        found += [tmp_path / path for path in add_actions(f"file://{tmp_path}")["path"].to_pylist()]
    DeltaTable(tmp_path).create_checkpoint()
    return found


def test_files_go_by_the_moment_of_their_replacement(files: list[Path], tmp_path: Path) -> None:
    url = f"file://{tmp_path}"
    assert remove_replaced(url, NOW - timedelta(hours=2.5)) == 0
    assert remove_replaced(url, NOW - timedelta(hours=1.5)) == 1
    assert [file.exists() for file in files] == [False, True, True, True]
    assert remove_replaced(url, NOW - timedelta(hours=0.5)) == 1, "the first is named, and gone already"
    assert [file.exists() for file in files] == [False, False, True, True]
    assert DeltaTable(tmp_path).to_pyarrow_table()["value"].to_pylist() == [3]


def test_of_a_table_that_is_younger_nothing_goes(files: list[Path], tmp_path: Path) -> None:
    assert remove_replaced(f"file://{tmp_path}", NOW - timedelta(days=1)) == 0
    assert all(file.exists() for file in files)


def test_paths_whose_folder_is_gone_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "bucket=0").mkdir()
    (tmp_path / "bucket=0" / "a").touch()
    (tmp_path / "bucket=0" / "b").touch()
    assert remove_files(f"file://{tmp_path}", ["bucket=0/a", "bucket=0/c", "bucket=60/a"]) == 1
    assert [file.name for file in (tmp_path / "bucket=0").iterdir()] == ["b"]


def test_a_checkpoint_remembers_a_replaced_file_for_longer_than_upkeep_leaves_it() -> None:
    remembered = PROPERTIES["delta.deletedFileRetentionDuration"].removeprefix("interval ").removesuffix(" minutes")
    assert timedelta(minutes=int(remembered)) > max(REPLACED_FOR, timedelta(hours=REMOVED_FOR_HOURS))


@pytest.fixture
def dropped(files: list[Path], tmp_path: Path) -> Path:
    """The same table, its three older partitions dropped; in the second a killed batch has left a file two days ago."""
    assert remove_replaced(f"file://{tmp_path}", NOW + timedelta(minutes=1)) == 3
    left = tmp_path / "bucket=60" / "left.parquet"
    left.touch()
    stamp = (NOW - timedelta(days=2)).timestamp()
    os.utime(left, (stamp, stamp))
    (tmp_path / "other=0").mkdir()
    (tmp_path / "bucket=none").mkdir()
    return tmp_path


def folders(table: Path) -> list[str]:
    return sorted(path.name for path in table.iterdir() if path.name != "_delta_log")


def test_folders_of_dropped_partitions_go_once_they_are_empty(dropped: Path) -> None:
    url = dropped.as_uri()
    assert remove_folders(url, "bucket", before=60, written_before=None) == 1
    assert folders(dropped) == ["bucket=120", "bucket=180", "bucket=60", "bucket=none", "other=0"]
    assert remove_folders(url, "bucket", before=1000, written_before=None) == 1, "one still holds a file"
    assert folders(dropped) == ["bucket=180", "bucket=60", "bucket=none", "other=0"]


def test_what_a_killed_batch_left_in_a_dropped_partition_goes_once_it_is_old(dropped: Path) -> None:
    url = dropped.as_uri()
    assert remove_folders(url, "bucket", 1000, NOW - timedelta(days=3)) == 2
    assert (dropped / "bucket=60" / "left.parquet").exists()
    assert remove_folders(url, "bucket", 1000, NOW - timedelta(days=1)) == 1
    assert folders(dropped) == ["bucket=180", "bucket=none", "other=0"]
    assert DeltaTable(dropped).to_pyarrow_table()["value"].to_pylist() == [3], "a partition that is not dropped stays"


def test_a_folder_of_folders_goes_with_the_last_of_them(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "bucket=5" / "state=row").mkdir(parents=True)
    (tmp_path / "bucket=6" / "state=row").mkdir(parents=True)
    (tmp_path / "bucket=6" / "state=row" / "kept.parquet").touch()
    remove_folders(tmp_path.as_uri(), "bucket", 10, None)
    assert [name for name in folders(tmp_path) if name in ("bucket=5", "bucket=6")] == ["bucket=6"]
