"""How long a first build takes: `hotpath bench rows [--buckets 500] [--questions 200]`.

Makes the events and labels of a small pipeline in a folder of its own, builds all buckets at once, then one more.
Needs HOTPATH_SPARK_JARS; no broker and no HDFS.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.small_pipeline import PIPELINE
from contract import variables
from contract.layout import Places
from contract.pipeline import Pipeline
from streaming.lake.hot_tables import ensure_tables
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from streaming.rows.rows_job import run_once
from streaming.rows.state_counts import state_counts
from streaming.spark_session import start_spark

MINUTE_S = 60
START_S = 1_767_225_600
ASKED_BEFORE_S = 1800
QUESTIONS_OF_AN_ORDER = 5


class Finished:
    """Everything has been read: nothing more will come."""

    def __init__(self, upto_s: int) -> None:
        self.upto_s = upto_s

    def caught_up_to(self, topics: Iterable[str]) -> datetime | None:
        return datetime.fromtimestamp(self.upto_s, UTC)

    def import_open(self, topics: Iterable[str]) -> bool:
        return False


def fill(spark: SparkSession, places: Places, pipeline: Pipeline, first: int, buckets: int, questions: int) -> None:
    """Append the questions of some buckets, and a label for nine of ten orders."""
    count = buckets * questions
    numbers = spark.range(first * questions, first * questions + count, numPartitions=2)
    due_s = F.lit(START_S) + F.floor(F.col("id") / questions) * MINUTE_S + F.col("id") % MINUTE_S
    order = F.concat(F.lit("order "), F.floor(F.col("id") / QUESTIONS_OF_AN_ORDER).cast("string"))
    asked = F.timestamp_seconds(due_s - ASKED_BEFORE_S)
    events = numbers.select(
        *_position("asked", "id", asked),
        F.col("id").cast("string").alias("id"),
        F.to_json(F.array(order)).alias("key"),
        asked.alias("as_of"),
        F.timestamp_seconds(due_s).alias("due"),
        F.lit(None).cast("binary").alias("value"),
        F.struct(
            F.col("id").cast("string").alias("id"),
            order.alias("order"),
            asked.alias("at"),
            (F.rand(1) * 100).alias("amount"),
            F.concat(F.lit("kind "), (F.col("id") % 20).cast("string")).alias("kind"),
            F.timestamp_seconds(due_s).alias("due_at"),
        ).alias("event"),
        (F.floor(due_s / MINUTE_S) * MINUTE_S).alias("bucket"),
    )
    events.repartition("bucket").write.format("delta").mode("append").save(places.table(pipeline.name, "events"))
    paid = F.timestamp_seconds(due_s - F.lit(MINUTE_S))
    labels = numbers.where((F.col("id") % QUESTIONS_OF_AN_ORDER == 0) & (F.col("id") % 50 != 0)).select(
        *_position("paid", "id", paid),
        F.to_json(F.array(order)).alias("key"),
        F.lit(None).cast("timestamp").alias("time"),
        F.lit(None).cast("binary").alias("value"),
        F.struct(order.alias("order"), (F.rand(2) < 0.3).alias("late")).alias("label"),
        (F.floor(F.unix_seconds(paid) / 3600) * 3600).alias("append_hour"),
    )
    labels.repartition("append_hour").write.format("delta").mode("append").save(places.table(pipeline.name, "labels"))


def _position(topic: str, offset: str, stamp: F.Column) -> list[F.Column]:  # type: ignore[name-defined]
    columns = {"topic": F.lit(topic), "partition": F.lit(0), "offset": F.col(offset), "append_time": stamp}
    columns |= {"kafka_time": stamp, "imported": F.lit(False), "host": F.lit("host")}
    return [column.alias(name) for name, column in columns.items()]


def benchmark(places: Places, buckets: int, questions: int) -> None:
    """Print the seconds of a first build, and of the next bucket."""
    file = places.data / "benchmark.toml"
    file.write_text(PIPELINE)
    pipeline = load(file)
    spark = start_spark(places)
    try:
        measure(spark, places, pipeline, buckets, questions)
    finally:
        spark.stop()


def measure(spark: SparkSession, places: Places, pipeline: Pipeline, buckets: int, questions: int) -> None:
    """A first build of all buckets, then the next one twice."""
    compiled, done = compile_pipeline(pipeline), 0
    ensure_tables(spark, places, pipeline)
    for more in (buckets, 1, 1):
        fill(spark, places, pipeline, done, more, questions)
        done += more
        started_s = time.monotonic()
        run_once(spark, places, pipeline, compiled, Finished(START_S + done * MINUTE_S))
        print(f"{more} buckets of {questions} questions: {time.monotonic() - started_s:.1f} s")
    print({state: count for state, count in state_counts(places, pipeline).items() if count})


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="hotpath bench rows", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--buckets", type=int, default=500)
    parser.add_argument("--questions", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        places = Places(Path(folder), {variables.HDFS.name: f"file://{folder}"})
        benchmark(places, arguments.buckets, arguments.questions)


if __name__ == "__main__":
    main()
