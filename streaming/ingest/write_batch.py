"""A decoded batch appended to the hot tables, each at most once.

A small batch goes through the driver, without Spark: all its Parquet files are written in parallel, then each table
gets one Delta commit, again in parallel. Spark needs a second of a core or more for each such commit, and five tables
every five seconds would take most of two cores. A large batch, as in a backfill, is written by the Spark tasks that
decoded it.

Both ways note the batch in the table itself, by Delta's `txn` action, and skip a batch that is noted already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, Transaction
from deltalake.transaction import AddAction
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.records import POSITION
from streaming.lake.data_files import by_partition, write_data_file
from streaming.lake.delta_tables import opened
from streaming.lake.hot_tables import partition_column

ONE_FILE = 20_000
"""Up to this many records of a table go into one file per partition of the table."""
FILES_AT_ONCE = 32
"""Files that are written in parallel: each mostly waits for HDFS to close it."""

Batch = tuple[str, int]
"""The checkpoint's query id and the batch's number: a fresh checkpoint counts from 0 under a new id."""

_noted: dict[str, int] = {}
"""Application -> the last batch that this process has committed. No other process writes the tables meanwhile."""
_POSITION = [column.name for column in POSITION]


def append_small(decoded: pa.Table, counts: Mapping[str, int], urls: Mapping[str, str], batch: Batch) -> None:
    """Append every table's records of a batch that the driver holds. `urls` is by table."""
    append_arrow({urls[t]: (own_records(decoded, t), partition_column(t)) for t in counts}, batch)


def own_records(records: pa.Table, table: str) -> pa.Table:
    """A table's records of a decoded batch, in its own columns."""
    own = records.filter(pc.equal(records["table"], table)).select([*_POSITION, table]).flatten()
    return own.rename_columns([name.removeprefix(f"{table}.") for name in own.column_names])


def append_arrow(records: Mapping[str, tuple[pa.Table, str]], batch: Batch) -> None:
    """Append records and name of the partition column, by the table's URL, to each that has not had the batch."""
    missing = {url: part for url, part in records.items() if not _has_had(url, batch)}
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        writing = {
            url: [pool.submit(write_data_file, url, column, *part) for part in by_partition(own, column)]
            for url, (own, column) in missing.items()
        }
        written = {url: [file.result() for file in files] for url, files in writing.items()}
        list(pool.map(lambda url: _commit(url, written[url], missing[url][1], batch), missing))


def _has_had(url: str, batch: Batch) -> bool:
    application = _application(url, batch)
    noted = _noted.get(application)
    if noted is None:
        with opened(url) as table:
            noted = table.transaction_version(application)
    return noted is not None and noted >= batch[1]


def _commit(url: str, adds: Sequence[AddAction], column: str, batch: Batch) -> None:
    application = _application(url, batch)
    _noted.pop(application, None)  # if the commit fails, its outcome is unknown: the retry reads it from the table
    note = CommitProperties(app_transactions=[Transaction(application, batch[1])])
    with opened(url) as table:
        table.create_write_transaction([*adds], "append", table.schema(), column, commit_properties=note)
    _noted[application] = batch[1]


def _application(url: str, batch: Batch) -> str:
    return f"{url}/{batch[0]}"


def append_large(decoded: DataFrame, counts: Mapping[str, int], urls: Mapping[str, str], batch: Batch) -> None:
    """Append one table after the other with Spark."""
    for table, count in counts.items():
        application = _application(urls[table], batch)
        _noted.pop(application, None)
        own = decoded.where(F.col("table") == table).select(*_POSITION, f"{table}.*")
        laid_out = own.coalesce(1) if count <= ONE_FILE else own.repartition(partition_column(table))
        writer = laid_out.write.format("delta").mode("append").option("txnAppId", application)
        writer.option("txnVersion", str(batch[1])).save(urls[table])
