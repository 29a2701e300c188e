"""The hot query's Delta tables: their schemas, partitions and properties, and how they are created and widened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from contract.layout import Places
from contract.pipeline import Field, Pipeline, Type
from contract.records import DEAD_LETTERS, EVENTS, FACTS, LABELS, POSITION, PREDICTIONS, TIMESTAMP
from streaming.lake.data_files import STATISTICS
from streaming.lake.delta_tables import create, opened

HOT_TABLES: Final = {
    "events": EVENTS,
    "labels": LABELS,
    "facts": FACTS,
    "predictions": PREDICTIONS,
    "dead_letters": DEAD_LETTERS,
}
"""Table -> its columns, of which the last is the partition column."""

ARROW_TYPES: Final = {
    Type.STRING: pa.string(),
    Type.INT: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIMESTAMP: TIMESTAMP,
}

COMMITS_TO_READ: Final = 20
"""Commits between two checkpoints of a table's log: a reader reads so many at most, or twice as many after a checkpoint
failed. From 43 on, deltalake 1.6.6 may wait for ever when it opens a table on HDFS: docs/decisions.md says why."""

PROPERTIES: Final = {
    "delta.enableDeletionVectors": "false",
    "delta.checkpointInterval": str(COMMITS_TO_READ),
    "delta.logRetentionDuration": "interval 2 hours",
    # longer than upkeep keeps a replaced file: a file that the checkpoint no longer names would never be removed
    "delta.deletedFileRetentionDuration": "interval 90 minutes",
    "delta.dataSkippingStatsColumns": ",".join(STATISTICS),
}


def arrow_schema(pipeline: Pipeline, table: str) -> pa.Schema:
    """A table's columns. `event` and `label`, the pipeline's own fields, stand before the partition column."""
    columns = list(HOT_TABLES[table])
    if table == "events":
        columns.insert(-1, pa.field("event", struct_of(pipeline.events.fields)))
    if table == "labels":
        columns.insert(-1, pa.field("label", struct_of(pipeline.label.fields)))
    return pa.schema(columns)


def struct_of(fields: tuple[Field, ...]) -> pa.StructType:
    """The fields as a struct, without those that are sensitive."""
    return pa.struct([pa.field(field.name, ARROW_TYPES[field.type]) for field in fields if not field.sensitive])


def partition_column(table: str) -> str:
    return str(HOT_TABLES[table][-1].name)


def own_columns(schema: pa.Schema) -> pa.StructType:
    """A table's columns after those with which every table begins."""
    return pa.struct([field for field in schema if field.name not in {position.name for position in POSITION}])


def spark_schema(schema: pa.Schema) -> StructType:
    return from_arrow_schema(schema, prefer_timestamp_ntz=False)


def ensure_tables(spark: SparkSession, places: Places, pipeline: Pipeline) -> None:
    """Create the tables that do not exist; add, as nullable columns, the fields that the pipeline file has gained."""
    for table in HOT_TABLES:
        _ensure_table(spark, places.table(pipeline.name, table), arrow_schema(pipeline, table))


def _ensure_table(spark: SparkSession, path: str, schema: pa.Schema) -> None:
    """Creates without Spark, which would need a second of a core for each table."""
    create(path, schema, [schema.names[-1]], PROPERTIES)
    with opened(path) as table:
        old = pa.schema(table.schema())
    if gained(old, schema):
        nothing = spark.createDataFrame([], spark_schema(schema))
        nothing.write.format("delta").mode("append").option("mergeSchema", "true").save(path)


def gained(old: Iterable[pa.Field], new: Iterable[pa.Field]) -> bool:
    """Whether `new` has a column, or a field of a struct, that `old` lacks."""
    known = {field.name: field.type for field in old}
    for field in new:
        if field.name not in known:
            return True
        if pa.types.is_struct(field.type) and gained(known[field.name], field.type):
            return True
    return False
