"""The Parquet files of a Delta table with one partition column of integers, written without Spark."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from contract.timestamps import rfc3339
from streaming.lake.filesystem import file_system

STATISTICS = ("append_time", "kafka_time")
"""The columns whose smallest and largest values stand in the tables' logs."""

MANY = 100
"""From so many records on, dictionaries and statistics of the columns are worth the room that they take."""

_MILLISECOND = timedelta(milliseconds=1)


def by_partition(records: pa.Table, column: str) -> Iterator[tuple[int, pa.Table]]:
    """The values of the partition column, each with its records, which lack that column."""
    ordered, start = records.sort_by(column), 0
    sizes = ordered.group_by(column, use_threads=False).aggregate([([], "count_all")])
    for value, size in zip(sizes[column].to_pylist(), sizes["count_all"].to_pylist(), strict=True):
        yield value, ordered.slice(start, size).drop_columns([column])
        start += size


def write_data_file(url: str, column: str, value: int, records: pa.Table) -> AddAction:
    """Write one file into the table's folder, and return the action that makes it a part of the table.

    Raises:
        OSError: the file system is away, or full.
    """
    name = f"{column}={value}/part-{uuid.uuid4()}.zstd.parquet"
    content = _parquet(records)
    files, root = file_system(url)
    files.makedirs(f"{root}/{column}={value}", exist_ok=True)
    with files.open(f"{root}/{name}", "wb") as out:
        out.write(content)
    return AddAction(
        path=name,
        size=content.size,
        partition_values={column: str(value)},
        modification_time=round(time.time() * 1000),
        data_change=True,
        stats=json.dumps(statistics(records)),
    )


def _parquet(records: pa.Table) -> pa.Buffer:
    """Most files have a few records: in those, descriptions of the columns would take more room than the records."""
    out, many = pa.BufferOutputStream(), records.num_rows >= MANY
    pq.write_table(records, out, compression="zstd", store_schema=False, write_statistics=many, use_dictionary=many)
    return out.getvalue()


def statistics(records: pa.Table) -> dict[str, object]:
    """Delta's statistics of a file. They have milliseconds: the smallest moment is rounded down, the largest up."""
    extremes = {name: pc.min_max(records[name]).as_py() for name in STATISTICS}
    known = {name: found for name, found in extremes.items() if found["min"] is not None}
    return {
        "numRecords": records.num_rows,
        "minValues": {name: rfc3339(_floor(found["min"])) for name, found in known.items()},
        "maxValues": {name: rfc3339(_floor(found["max"]) + _MILLISECOND) for name, found in known.items()},
        "nullCount": {name: records[name].null_count for name in STATISTICS},
    }


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)
