"""Which partitions upkeep rewrites: closed ones of several files, and those whose raw bytes are due to go; and which
files it removes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from streaming.built_table import BUILT_PROPERTIES, PARTITIONS, BuiltTable, rows_table
from streaming.compile import compile_pipeline
from streaming.delta import add_actions, create
from streaming.load import load
from streaming.places import Places
from streaming.records import OUTSIDE
from streaming.upkeep import Partition, outworn, raw_expired
from streaming.upkeep_built import REMOVED_FOR_HOURS, vacuum
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)
FEATURE_TYPES = compile_pipeline(PIPELINE).feature_types
NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


def ago(age: timedelta) -> int:
    """The bucket of that long ago."""
    return PIPELINE.bucket_of(NOW - age)


def worn(*partitions: Partition, stripped_to: int = OUTSIDE) -> list[int]:
    return outworn(partitions, "events", PIPELINE, NOW, stripped_to)


def test_a_closed_bucket_of_several_files_is_rewritten_and_an_open_one_is_not() -> None:
    closed, still_open = ago(timedelta(minutes=5)), ago(timedelta(0))
    assert worn(Partition(closed, 3), Partition(still_open, 3)) == [closed]
    assert worn(Partition(closed, 1)) == []


def test_quarantined_questions_stay_where_they_are() -> None:
    assert worn(Partition(OUTSIDE, 9)) == []


def test_raw_bytes_go_once_they_are_past_their_retention() -> None:
    bucket = ago(PIPELINE.lake.raw_retention + timedelta(minutes=2))
    assert raw_expired(bucket, "events", PIPELINE, NOW)
    assert worn(Partition(bucket, 1)) == [bucket]
    assert worn(Partition(bucket, 1), stripped_to=bucket) == []


def test_facts_and_dead_letters_keep_their_bytes_as_long_as_their_records() -> None:
    hour = int((NOW - timedelta(days=2)).timestamp())
    assert not raw_expired(hour, "facts", PIPELINE, NOW)
    assert not raw_expired(hour, "dead_letters", PIPELINE, NOW)


def replaced_twice(folder: Path) -> tuple[BuiltTable, list[str]]:
    """A `rows` table whose only file was replaced twice, by versions 2 and 3; its files, the last one alive."""
    table = rows_table(Places(folder, {"HOTPATH_HDFS": f"file://{folder}"}), PIPELINE, FEATURE_TYPES)
    create(table.url, table.schema, list(PARTITIONS), BUILT_PROPERTIES)
    files = []
    for _ in range(3):
        nothing = {field.name: pa.nulls(1, field.type) for field in table.schema}
        row = pa.table(nothing | {"span": pa.array([60]), "state": ["row"]}, schema=table.schema)
        write_deltalake(table.url, row, mode="overwrite")
        files += add_actions(table.url)["path"].to_pylist()
    DeltaTable(table.url).create_checkpoint()
    return table, files


def there(table: BuiltTable, files: list[str]) -> list[bool]:
    return [(Path(table.url.removeprefix("file://")) / file).exists() for file in files]


def test_replaced_files_go_although_a_checkpoint_came_between(tmp_path: Path) -> None:
    table, files = replaced_twice(tmp_path)
    assert vacuum(table, (), removed_for_hours=1) == 0
    assert there(table, files) == [True, True, True]
    assert vacuum(table, (), removed_for_hours=0) == 2
    assert there(table, files) == [False, False, True]


def test_files_of_a_version_that_a_candidate_names_stay(tmp_path: Path) -> None:
    table, files = replaced_twice(tmp_path)
    assert vacuum(table, [2, 99], removed_for_hours=0) == 1
    assert there(table, files) == [False, True, True]


def test_a_checkpoint_remembers_a_replaced_file_for_longer_than_upkeep_leaves_it() -> None:
    remembered = BUILT_PROPERTIES["delta.deletedFileRetentionDuration"]
    assert int(remembered.removeprefix("interval ").removesuffix(" hours")) > REMOVED_FOR_HOURS
