"""A small batch in the hot tables, without Spark: each table gets its own records, and gets them once."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from contract.records import POSITION
from streaming.ingest.write_batch import append_arrow, own_records
from streaming.lake.data_files import MANY
from streaming.lake.hot_tables import HOT_TABLES, PROPERTIES, arrow_schema, own_columns
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)
YEAR_9999 = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def decoded(table: str, own: list[dict[str, object]]) -> pa.Table:
    """Records as the decoding hands them over: a struct per table, NULL but for the record's own."""
    columns: dict[str, pa.Array] = {column.name: pa.nulls(len(own), column.type) for column in POSITION}
    columns["offset"] = pa.array(range(len(own)), pa.int64())
    columns["table"] = pa.array([table] * len(own))
    for name in HOT_TABLES:
        kind = own_columns(arrow_schema(PIPELINE, name))
        columns[name] = pa.array(own, kind) if name == table else pa.nulls(len(own), kind)
    return pa.table(columns)


def append(events: list[dict[str, object]], url: str, batch: tuple[str, int] = ("query", 0)) -> None:
    append_arrow({url: (own_records(decoded("events", events), "events"), "bucket")}, batch)


@pytest.fixture
def events(tmp_path: Path) -> str:
    url = f"file://{tmp_path}/events"
    schema = arrow_schema(PIPELINE, "events")
    DeltaTable.create(url, schema, partition_by=["bucket"], configuration=dict(PROPERTIES))
    return url


def test_each_table_gets_its_own_records_in_its_own_columns() -> None:
    both = pa.concat_tables(
        [decoded("events", [{"id": "1", "bucket": 60}]), decoded("labels", [{"key": "[2]", "append_hour": 0}])]
    )
    labels = own_records(both, "labels")
    assert labels.column_names == arrow_schema(PIPELINE, "labels").names
    assert labels["key"].to_pylist() == ["[2]"]
    assert own_records(both, "facts").num_rows == 0


def test_a_batch_that_is_appended_again_is_left_out_and_the_next_is_not(events: str) -> None:
    records = [{"id": "a", "bucket": 60}, {"id": "b", "bucket": 120}]
    for _ in range(2):
        append(records, events, ("query", 7))
    assert DeltaTable(events).to_pyarrow_table().num_rows == 2
    append(records, events, ("query", 8))
    append(records, events, ("query", 7))  # as a checkpoint that was put back would have it
    append(records, events, ("a fresh checkpoint", 0))
    assert DeltaTable(events).to_pyarrow_table().num_rows == 6


def test_a_batch_is_left_out_by_a_process_that_has_not_written_it_itself(
    events: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    append([{"id": "a", "bucket": 60}], events, ("query", 7))
    monkeypatch.setattr("streaming.ingest.write_batch._noted", {})  # a new process knows nothing
    append([{"id": "a", "bucket": 60}], events, ("query", 7))
    append([{"id": "b", "bucket": 60}], events, ("query", 8))
    assert sorted(DeltaTable(events).to_pyarrow_table()["id"].to_pylist()) == ["a", "b"]


def test_a_commit_that_landed_and_failed_nevertheless_is_not_made_twice(
    events: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    append([{"id": "a", "bucket": 60}], events, ("query", 7))
    with monkeypatch.context() as unlucky:
        commit = DeltaTable.create_write_transaction

        def lands_and_fails(*arguments: Any, **more: Any) -> None:
            commit(*arguments, **more)
            raise OSError("the connection went")

        unlucky.setattr(DeltaTable, "create_write_transaction", lands_and_fails)
        with pytest.raises(OSError, match="went"):
            append([{"id": "b", "bucket": 60}], events, ("query", 8))
    append([{"id": "b", "bucket": 60}], events, ("query", 8))
    assert sorted(DeltaTable(events).to_pyarrow_table()["id"].to_pylist()) == ["a", "b"]


def test_values_arrive_unchanged_the_latest_moment_and_missing_ones_too(events: str) -> None:
    own = {"id": "a", "due": YEAR_9999, "value": b"\x00\xff", "event": {"machine": None, "load": -0.0}, "bucket": -1}
    append([own], events)
    stored = DeltaTable(events).to_pyarrow_table().to_pylist()[0]
    assert (stored["due"], stored["value"], stored["bucket"]) == (YEAR_9999, b"\x00\xff", -1)
    assert str(stored["event"]["load"]) == "-0.0"
    assert stored["event"]["machine"] is None


def test_every_record_of_a_mixed_batch_lands_in_its_own_bucket(events: str) -> None:
    sizes = {60: 3, -1: 1, 240: 2 * MANY, 120: 2}
    own = [{"id": f"{bucket} {number}", "bucket": bucket} for bucket, size in sizes.items() for number in range(size)]
    random.Random(7).shuffle(own)
    append(own, events)
    stored = DeltaTable(events).to_pyarrow_table()
    assert sorted(zip(stored["id"].to_pylist(), stored["bucket"].to_pylist(), strict=True)) == sorted(
        (record["id"], record["bucket"]) for record in own
    )
    files = pa.table(DeltaTable(events).get_add_actions(flatten=True))
    assert dict(zip(files["partition.bucket"].to_pylist(), files["num_records"].to_pylist(), strict=True)) == sizes


def test_a_table_whose_fields_stand_in_another_order_is_written_by_their_names(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/events"
    schema = arrow_schema(PIPELINE, "events")
    at = schema.get_field_index("event")
    turned = pa.struct(list(schema.field("event").type)[::-1])
    DeltaTable.create(url, schema.set(at, pa.field("event", turned)), partition_by=["bucket"])
    append([{"event": {"machine": 3, "load": 0.5}, "bucket": 60}], url)
    event = DeltaTable(url).to_pyarrow_table()["event"].to_pylist()[0]
    assert (event["machine"], event["load"]) == (3, 0.5)


def test_the_log_keeps_the_extremes_of_the_stamps_rounded_outwards(events: str) -> None:
    records = own_records(decoded("events", [{"bucket": 60}, {"bucket": 60}]), "events")
    stamps = pa.array([1_500_123, 2_500_456], records["append_time"].type)
    records = records.set_column(records.column_names.index("append_time"), "append_time", stamps)
    append_arrow({events: (records, "bucket")}, ("query", 0))
    added = pa.table(DeltaTable(events).get_add_actions(flatten=True)).to_pylist()
    assert [(file["num_records"], file["partition.bucket"], file["null_count.kafka_time"]) for file in added] == [
        (2, 60, 2)
    ]
    assert added[0]["min.append_time"] == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    assert added[0]["max.append_time"] == datetime(1970, 1, 1, 0, 0, 2, 501_000, UTC)
    assert added[0]["min.kafka_time"] is None


def test_a_table_that_fails_leaves_the_batch_in_the_others_and_gets_it_when_it_is_tried_again(
    events: str, tmp_path: Path
) -> None:
    labels, schema = tmp_path / "labels", arrow_schema(PIPELINE, "labels")
    DeltaTable.create(labels.as_uri(), schema, partition_by=["append_hour"], configuration=dict(PROPERTIES))
    both = {
        events: (own_records(decoded("events", [{"id": "a", "bucket": 60}]), "events"), "bucket"),
        labels.as_uri(): (own_records(decoded("labels", [{"key": "[2]", "append_hour": 0}]), "labels"), "append_hour"),
    }
    append_arrow(both, ("query", 0))
    (labels / "_delta_log").rename(tmp_path / "away")
    with pytest.raises(TableNotFoundError):
        append_arrow(both, ("query", 1))
    (tmp_path / "away").rename(labels / "_delta_log")
    append_arrow(both, ("query", 1))
    assert DeltaTable(events).to_pyarrow_table()["id"].to_pylist() == ["a", "a"]
    assert DeltaTable(labels).to_pyarrow_table()["key"].to_pylist() == ["[2]", "[2]"]


def test_a_file_of_a_batch_that_was_never_committed_is_no_part_of_the_table(events: str, tmp_path: Path) -> None:
    append([{"id": "a", "bucket": 60}], events)
    (tmp_path / "events" / "bucket=60" / "part-of-a-killed-batch.zstd.parquet").write_bytes(b"half a fi")
    assert DeltaTable(events).to_pyarrow_table()["id"].to_pylist() == ["a"]


def test_commits_that_are_old_go_from_the_log(tmp_path: Path) -> None:
    url, log = f"file://{tmp_path}", tmp_path / "_delta_log"
    schema = arrow_schema(PIPELINE, "events")
    settings = dict(PROPERTIES) | {"delta.checkpointInterval": "5"}
    DeltaTable.create(url, schema, partition_by=["bucket"], configuration=settings)
    old_s = time.time() - timedelta(days=1).total_seconds()
    for number in range(12):
        append([{"id": str(number), "bucket": 60}], url, ("query", number))
        for commit in log.glob(f"{number:020d}.json"):
            os.utime(commit, (old_s, old_s))
    left = sorted(int(path.stem) for path in log.glob("*.json"))
    assert left[0] >= 4, "those before the last checkpoint but one"
    assert left[-1] == 12
    assert DeltaTable(url).to_pyarrow_table().num_rows == 12
