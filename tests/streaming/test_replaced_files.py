"""Replaced files of a table go once they have been replaced for long enough, and nothing else does."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from streaming.delta import add_actions
from streaming.replaced_files import remove_files, remove_replaced
from streaming.tables import PROPERTIES
from streaming.upkeep import REPLACED_FOR
from streaming.upkeep_built import REMOVED_FOR_HOURS

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
    remembered = PROPERTIES["delta.deletedFileRetentionDuration"].removeprefix("interval ").removesuffix(" hours")
    assert timedelta(hours=int(remembered)) > max(REPLACED_FOR, timedelta(hours=REMOVED_FOR_HOURS))
