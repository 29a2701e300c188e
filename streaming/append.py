"""A decoded batch appended to the hot tables, each at most once.

A small batch goes through the driver: one Delta commit a table without Spark, all tables at the same time. Spark needs
a second of a core and more for each such commit, which at five tables every five seconds is most of what two cores
have. A large one, as a backfill is made of, is written by Spark where it was decoded.

Both note the batch in the table itself, by Delta's `txn` action, and leave out one that is noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from streaming.records import POSITION
from streaming.tables import HOT_TABLES

ONE_FILE = 20_000
"""Up to this many records of a table go into one file per partition of the table."""

Batch = tuple[str, int]
"""The checkpoint's query id and the batch's number: a fresh checkpoint counts from 0 under a new id."""

_POSITION = [column.name for column in POSITION]


def append_small(decoded: DataFrame, counts: Mapping[str, int], urls: Mapping[str, str], batch: Batch) -> None:
    """Append every table's records of a batch that fits into the driver's memory. `urls` is by table."""
    records = decoded.where(F.col("table").isin(*counts)).toArrow()
    with ThreadPoolExecutor(max(1, len(counts))) as tables:
        running = [tables.submit(append_arrow, own_records(records, t), t, urls[t], batch) for t in counts]
    for table in running:
        table.result()


def own_records(records: pa.Table, table: str) -> pa.Table:
    """A table's records of a decoded batch, in its own columns."""
    own = records.filter(pc.equal(records["table"], table)).select([*_POSITION, table]).flatten()
    return own.rename_columns([name.removeprefix(f"{table}.") for name in own.column_names])


def append_arrow(records: pa.Table, table: str, url: str, batch: Batch) -> None:
    """Append to one table, unless it has had the batch."""
    there, note = DeltaTable(url), Transaction(f"{url}/{batch[0]}", batch[1])
    before = there.transaction_version(note.app_id)
    if before is not None and before >= batch[1]:
        return
    write_deltalake(
        there,
        records,
        mode="append",
        partition_by=HOT_TABLES[table][-1].name,
        writer_properties=WriterProperties(compression="ZSTD"),
        commit_properties=CommitProperties(app_transactions=[note]),
    )


def append_large(decoded: DataFrame, counts: Mapping[str, int], urls: Mapping[str, str], batch: Batch) -> None:
    """Append one table after the other with Spark."""
    for table, count in counts.items():
        own = decoded.where(F.col("table") == table).select(*_POSITION, f"{table}.*")
        laid_out = own.coalesce(1) if count <= ONE_FILE else own.repartition(HOT_TABLES[table][-1].name)
        writer = laid_out.write.format("delta").mode("append").option("txnAppId", f"{urls[table]}/{batch[0]}")
        writer.option("txnVersion", str(batch[1])).save(urls[table])
