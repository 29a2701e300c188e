"""Two ways into the hot tables, Spark's and the driver's: the same records, and each knows what the other wrote."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from contract.layout import Places
from streaming.ingest import hot_query
from streaming.ingest.hot_query import HotQuery
from streaming.ingest.record_decoder import decoder_of
from streaming.ingest.write_batch import append_large, append_small
from streaming.lake.hot_tables import PROPERTIES, arrow_schema, ensure_tables, spark_schema
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.progress.watermark import Progress, ProgressUpdates
from tests.integration.spark import spark
from tests.streaming.ingest.test_record_decoder import as_bytes, kafka_records, question
from tests.streaming.ingest.test_write_batch import PIPELINE, YEAR_9999, decoded

__all__ = ["spark"]
pytestmark = pytest.mark.engines

EVENTS: list[dict[str, object]] = [
    {"id": "a", "due": YEAR_9999, "value": b"\x00\xff", "event": {"machine": 3, "load": -0.0}, "bucket": -1},
    {"id": "b", "value": None, "event": {"machine": None, "load": 0.1}, "bucket": 60},
    {"id": None, "event": None, "bucket": 120},
]
LABELS: list[dict[str, object]] = [{"key": "[2]", "append_hour": 3600}]
COUNTS = {"events": len(EVENTS), "labels": len(LABELS)}


@pytest.fixture
def batch(spark: SparkSession) -> DataFrame:
    records = pa.concat_tables([decoded("events", EVENTS), decoded("labels", LABELS)])
    return spark.createDataFrame(records, spark_schema(records.schema))


def tables(folder: Path) -> dict[str, str]:
    urls = {table: f"file://{folder}/{table}" for table in COUNTS}
    for table, url in urls.items():
        schema = arrow_schema(PIPELINE, table)
        DeltaTable.create(url, schema, partition_by=[schema.names[-1]], configuration=dict(PROPERTIES))
    return urls


def stored(urls: dict[str, str]) -> dict[str, list[str]]:
    return {t: sorted(repr(row) for row in DeltaTable(url).to_pyarrow_table().to_pylist()) for t, url in urls.items()}


def test_both_ways_write_the_same(batch: DataFrame, tmp_path: Path) -> None:
    large, small = tables(tmp_path / "large"), tables(tmp_path / "small")
    append_large(batch, COUNTS, large, ("query", 0))
    append_small(batch.toArrow(), COUNTS, small, ("query", 0))
    assert stored(large) == stored(small)
    assert {table: len(rows) for table, rows in stored(small).items()} == COUNTS


def through_the_driver(batch: DataFrame, *more: Any) -> None:
    append_small(batch.toArrow(), *more)


@pytest.mark.parametrize("ways", [(append_large, through_the_driver), (through_the_driver, append_large)])
def test_a_batch_that_one_way_has_written_is_left_out_by_the_other(
    batch: DataFrame, tmp_path: Path, ways: tuple[Any, ...]
) -> None:
    urls = tables(tmp_path)
    for way in ways:
        way(batch, COUNTS, urls, ("query", 4))
    assert {table: len(rows) for table, rows in stored(urls).items()} == COUNTS
    for way in ways:
        way(batch, COUNTS, urls, ("query", 5))
    assert {table: len(rows) for table, rows in stored(urls).items()} == {t: 2 * count for t, count in COUNTS.items()}


def test_a_batch_that_is_too_large_for_the_driver_is_written_by_spark(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})
    ensure_tables(spark, places, PIPELINE)
    decoding = decoder_of(PIPELINE, compile_pipeline(PIPELINE).spec)
    query = HotQuery(spark, places, PIPELINE, decoding, Progress(ProgressUpdates()), timedelta(seconds=1), print)
    ways: list[str] = []
    for way in ("append_small", "append_large"):
        monkeypatch.setattr(hot_query, way, partial(noted, ways, way, getattr(hot_query, way)))
    records = kafka_records(PIPELINE.events.topic, [as_bytes(question(PIPELINE))] * 40)
    batch = spark.createDataFrame(pa.table(records), spark_schema(records.schema))
    counts = []
    for number, limit in enumerate((10**6, 1000, 10**6, 10**6)):
        monkeypatch.setattr(hot_query, "SMALL_BYTES", limit)
        query.append(batch, ("query", number))
        counts.append(DeltaTable(places.table(PIPELINE.name, "events")).to_pyarrow_table().num_rows)
    assert counts == [40, 80, 120, 160]
    # the third is taken for large like the one before it, and found small
    assert ways == ["append_small", "append_large", "append_large", "append_small"]


def noted(ways: list[str], way: str, append: Callable[..., None], *arguments: Any) -> None:
    ways.append(way)
    append(*arguments)
