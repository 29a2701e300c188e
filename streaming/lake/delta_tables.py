"""Delta tables without Spark. Every one is opened here: a call that does not come back ends the process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
from deltalake import DeltaTable

from streaming.lake.hang_watchdog import expected_back


@contextmanager
def opened(url: str, version: int | None = None) -> Iterator[DeltaTable]:
    """A table at a version, by default its newest.

    Raises:
        TableNotFoundError: there is none.
    """
    with expected_back(f"the log of {url}"):
        yield DeltaTable(url, version=version)


def add_actions(url: str, version: int | None = None) -> pa.Table:
    """The files of a version, by default the newest, from its log alone.

    Columns: `path`, `partition.<column>`, `num_records`, and more.

    Raises:
        TableNotFoundError: there is no table.
    """
    with opened(url, version) as table:
        return pa.table(table.get_add_actions(flatten=True))


def create(url: str, schema: pa.Schema, partition_by: list[str], properties: Mapping[str, str]) -> None:
    """Create a table where there is none; one that is there stays as it is, its columns and properties too.

    deltalake (1.6.6) has a question whether a table is there, which keeps the lock of Python while it waits for HDFS.
    """
    with expected_back(f"the log of {url}"):
        DeltaTable.create(url, schema, mode="ignore", partition_by=partition_by, configuration=dict(properties))
