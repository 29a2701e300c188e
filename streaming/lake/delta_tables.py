"""Delta tables without Spark. Every table is opened here, since a call that never returns must end the process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
from deltalake import DeltaTable

from streaming.lake.hang_watchdog import expected_back


@contextmanager
def opened(url: str, version: int | None = None) -> Iterator[DeltaTable]:
    """Open a table at a version, by default its newest.

    Raises:
        TableNotFoundError: there is none.
    """
    with expected_back(f"the log of {url}"):
        yield DeltaTable(url, version=version)


def add_actions(url: str, version: int | None = None) -> pa.Table:
    """The files of a version, by default the newest. Reads the table's log alone.

    Columns: `path`, `partition.<column>`, `num_records`, and more.

    Raises:
        TableNotFoundError: there is no table.
    """
    with opened(url, version) as table:
        return pa.table(table.get_add_actions(flatten=True))


def create(url: str, schema: pa.Schema, partition_by: list[str], properties: Mapping[str, str]) -> None:
    """Create a table where there is none; a table that is there keeps its columns and properties.

    `DeltaTable.is_deltatable` is not asked first: in deltalake 1.6.6 it holds Python's lock while it waits for HDFS.
    """
    with expected_back(f"the log of {url}"):
        DeltaTable.create(url, schema, mode="ignore", partition_by=partition_by, configuration=dict(properties))
