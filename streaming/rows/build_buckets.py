"""Builds buckets of a table of states: reads their questions and the labels of their entities, replaces them at once.

A pure function of the versions that it reads. One wide shuffle finds repeated records, one brings a span's records
together, so that each span is one file per state; labels are reduced to a list per entity before they are joined.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from contract.pipeline import HOST_SLICE, Pipeline
from contract.records import IDENTITY
from streaming.lake.built_table import BUILT_PROPERTIES, PARTITIONS, BuiltTable
from streaming.lake.delta_tables import create
from streaming.lake.hot_tables import spark_schema, struct_of
from streaming.lake.read_version import read_version
from streaming.rows.label_join import VALUED, LabelJoin, label_values
from streaming.rows.state_rules import ORDER, rules_of

FEW_BUCKETS = 50
"""Of up to so many, the questions are read twice, first for their entities: few of all that have labels."""
VALUED_LABEL = pa.schema([
    pa.field("key", pa.string()),
    pa.field("append_us", pa.int64()),
    pa.field("partition", pa.int32()),
    pa.field("offset", pa.int64()),
    pa.field("value", pa.bool_()),
])  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """The versions of the tables that a build reads."""

    source: int
    labels: int


def ensure_built(table: BuiltTable) -> None:
    """Create the table where it lacks."""
    create(table.url, table.schema, list(PARTITIONS), BUILT_PROPERTIES)


def build(
    spark: SparkSession, table: BuiltTable, pipeline: Pipeline, spec: str, inputs: Inputs, buckets: Collection[int],
    note: str,
) -> None:  # fmt: skip
    """Replace these buckets, all in one commit, which carries `note`; columns that the table lacks are added."""
    deciding = LabelJoin(table.schema, rules_of(pipeline), table.bucket_s, spec if table.has_features else None)
    records = _questions(spark, table, pipeline, inputs.source, buckets)
    entities = records.select("key").distinct() if len(buckets) <= FEW_BUCKETS else None
    labels = _labels(spark, table, pipeline, spec, inputs.labels, entities)
    resolved = with_first(records, table.question).join(labels, "key", "left")
    spans = {bucket // table.span_s * table.span_s for bucket in buckets}
    tasks = min(len(spans), spark.sparkContext.defaultParallelism)
    rows = resolved.repartition(tasks, "span").mapInArrow(deciding, spark_schema(table.schema))
    where = f"span IN ({_listed(spans)}) AND bucket IN ({_listed(buckets)})"
    writer = rows.write.format("delta").mode("overwrite").option("replaceWhere", where)
    writer.option("mergeSchema", "true").option("userMetadata", note).save(table.url)


def note_only(spark: SparkSession, table: BuiltTable, note: str) -> None:
    """A commit that changes nothing but what is noted."""
    nothing = spark.createDataFrame([], spark_schema(table.schema)).write.format("delta").mode("append")
    nothing.option("mergeSchema", "true").option("userMetadata", note).save(table.url)


def with_first(records: DataFrame, question: tuple[str, ...]) -> DataFrame:
    """Each distinct record once, with `first`: whether it is its question's first one in its bucket.

    `state_rules.first_of_each` says the same in Arrow; a test compares the two.
    """
    of_question = Window.partitionBy("bucket", *question).orderBy(*ORDER)
    record = F.struct(*IDENTITY)
    marked = records.withColumn("again", F.lag(record).over(of_question).eqNullSafe(record))
    marked = marked.withColumn("first", F.first(record).over(of_question) == record)
    return marked.where(~F.col("again")).drop("again")


def _questions(
    spark: SparkSession, table: BuiltTable, pipeline: Pipeline, version: int, buckets: Collection[int]
) -> DataFrame:
    """The records of the buckets, with what the table copies of them."""
    source = read_version(spark, table.source, version, buckets)
    if not table.has_features:
        source = source.where(~F.coalesce(F.col("hypothetical"), F.lit(False)))
    source = source.withColumn("span", F.floor(F.col("bucket") / table.span_s).cast("bigint") * table.span_s)
    copied = [F.col(name) for name in table.schema.names if name in source.columns]
    if table.has_features:
        event = _struct("event", struct_of(pipeline.events.fields))
        copied += [_group(pipeline).alias("group"), event]
    else:
        copied.append(_slices(pipeline).alias("slices"))
    return source.select(*copied)


def _labels(
    spark: SparkSession, table: BuiltTable, pipeline: Pipeline, spec: str, version: int, entities: DataFrame | None
) -> DataFrame:
    """`key, labels`: for each of the entities, by default for every one, the labels that have a value."""
    source = read_version(spark, table.labels, version).select(
        "key",
        F.unix_micros("append_time").alias("append_us"),
        "partition",
        "offset",
        _struct("label", struct_of(pipeline.label.fields)),
    )
    mine = source if entities is None else source.join(entities, "key", "left_semi")
    valued = mine.mapInArrow(partial(label_values, spec), spark_schema(VALUED_LABEL))
    return valued.groupBy("key").agg(F.collect_list(F.struct(*VALUED)).alias("labels"))


def _struct(name: str, fields: pa.StructType) -> Column:
    """The struct with its fields in the pipeline's order, whatever order the table has them in."""
    return F.struct(*(F.col(name)[field.name].alias(field.name) for field in fields)).alias(name)


def _group(pipeline: Pipeline) -> Column:
    """What splits keep whole: the entity, or the values of other fields."""
    if pipeline.training.group == pipeline.events.key:
        return F.col("key")
    values = (F.coalesce(F.col("event")[name].cast("string"), F.lit("")) for name in pipeline.training.group)
    return F.to_json(F.array(*values))


def _slices(pipeline: Pipeline) -> Column:
    """The levels by which realised figures are also given, as a JSON object; a level that is missing is left out."""
    levels = {name: _text_at("features", name) for name in pipeline.training.slices}
    if pipeline.events.host is not None:
        levels = {HOST_SLICE: _text_at("event", pipeline.events.host)} | levels
    return F.to_json(F.struct(*(level.alias(name) for name, level in levels.items()))) if levels else F.lit("{}")


def _text_at(column: str, name: str) -> Column:
    """A value of the JSON object in a column, as text."""
    return F.get_json_object(F.col(column), f"$.{name}")


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(str(number) for number in sorted(numbers))
