"""What the commits of a table say: which of them changed its records."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from streaming.lake.delta_log import last_data_change_version


def append(url: str, state: str, value: int, files: int = 1) -> int:
    for _ in range(files):
        records = pa.table({"state": [state], "value": [value]})
        write_deltalake(url, records, mode="append", partition_by=["state"])
    return version(url)


def version(url: str) -> int:
    return int(DeltaTable(url).version())


def test_a_compaction_changes_no_data_and_an_append_or_a_deletion_does(tmp_path: Path) -> None:
    url = f"file://{tmp_path}"
    assert last_data_change_version(url) is None
    appended = append(url, "row", 1, files=2)
    DeltaTable(url).optimize.compact()
    DeltaTable(url).alter.set_table_properties({"delta.appendOnly": "false"}, commit_properties=CommitProperties())
    assert version(url) == appended + 2
    assert last_data_change_version(url) == appended
    DeltaTable(url).delete("value = 1")
    assert last_data_change_version(url) == version(url) == appended + 3


def test_changes_of_other_partitions_do_not_concern_it(tmp_path: Path) -> None:
    url = f"file://{tmp_path}"
    row = append(url, "row", 1)
    append(url, "known", 2)
    assert last_data_change_version(url, lambda partition: partition["state"] == "row") == row


def test_where_the_log_is_gone_its_oldest_version_stands(tmp_path: Path) -> None:
    url = f"file://{tmp_path}"
    append(url, "row", 1, files=3)
    DeltaTable(url).create_checkpoint()
    for number in (0, 1):
        (tmp_path / "_delta_log" / f"{number:020d}.json").unlink()
    assert last_data_change_version(url, lambda partition: partition["state"] == "never") == 2
