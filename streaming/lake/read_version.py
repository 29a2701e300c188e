"""One version of a table as Spark reads it, its list of files from deltalake.

Delta's own reader computes the list of files with Spark jobs at every read, which takes seconds of a core.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from streaming.lake.delta_tables import opened
from streaming.lake.hot_tables import spark_schema


def read_version(spark: SparkSession, url: str, version: int, partitions: Collection[int] | None = None) -> DataFrame:
    """The records of a hot table, or those of some `partitions`: values of its partition column.

    A column, or a field of a struct, that a file does not have yet is NULL.
    """
    with opened(url, version) as table:
        schema = spark_schema(pa.schema(table.schema()))
        (column,) = table.metadata().partition_columns
        files = pa.table(table.get_add_actions(flatten=True))
    if partitions is not None:
        files = files.filter(pc.is_in(files[f"partition.{column}"], pa.array(partitions, pa.int64())))
    paths = [f"{url}/{path}" for path in files["path"].to_pylist()]
    if not paths:
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).option("basePath", url).parquet(*paths)
