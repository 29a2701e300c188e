"""The hot query of one pipeline: read, decode, append. Stateless; every batch is written at most once to each table."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from contract.layout import Places
from contract.messages.progress import LossNotice
from contract.metrics import (
    DEAD_LETTERS,
    IMPORTED_SECONDS,
    QUARANTINED_QUESTIONS,
    STREAM_BATCH_SECONDS,
    STREAM_DELAY_SECONDS,
    STREAM_RECORDS,
)
from contract.pipeline import Pipeline
from contract.records import DEAD_LETTER_REASONS, QUARANTINE_REASONS
from contract.topics import APPEND_TIME_HEADER, MAX_RECORD_BYTES
from streaming.ingest.batch_summary import Summary
from streaming.ingest.clock_offsets import ClockOffsets
from streaming.ingest.record_decoder import SUMMARY, RecordDecoder, tables_by_topic
from streaming.ingest.seen_topic_ids import SeenTopicIds
from streaming.ingest.write_batch import Batch, append_large, append_small
from streaming.kafka.java_client import java_settings
from streaming.kafka.offset_gaps import Gap, Offsets, first_offsets, gaps, loss_notice
from streaming.kafka.partition_ends import Ends, Partition
from streaming.lake.hot_tables import HOT_TABLES, spark_schema
from streaming.progress.query_checkpoint import committed_offsets, offsets_of_batch
from streaming.progress.watermark import Progress

log = logging.getLogger("hot_query")

MOST_RECORDS = 50_000
"""Records in one batch: large enough for a backfill in few batches, small enough for the driver's memory."""
FIRSTS_S = 30.0
"""How long a batch waits for the cloud's broker to say which offsets it still holds."""
SMALL_BYTES = 96 * 1024 * 1024
"""Up to this many bytes in Arrow, a batch is appended by the driver; a larger one is appended by the tasks that decoded
it. The driver is faster: a batch of a backfill has a file for each of hundreds of buckets, and a Spark task writes them
one after the other. The size of a batch is found out while it is decoded, as a pass of its own would double the
processor time of a small batch."""


@dataclass
class HotQuery:
    """One pipeline's query. `run` starts it; Spark calls `_batch` from then on.

    Records that the cloud no longer holds are told to `lose` before the batch after them is committed.
    """

    spark: SparkSession
    places: Places
    pipeline: Pipeline
    decoding: RecordDecoder
    progress: Progress
    trigger: timedelta
    lose: Callable[[LossNotice], None]
    clocks: ClockOffsets = field(init=False)
    _goes_small: bool = field(default=True, init=False)
    """Whether the next batch is tried as a small one first."""

    def __post_init__(self) -> None:
        self.clocks = ClockOffsets(self.pipeline.name)
        self._show_zeros()

    def _show_zeros(self) -> None:
        """Let each counter be scraped before it first counts: else its first increase would not show as one."""
        for reason in QUARANTINE_REASONS:
            QUARANTINED_QUESTIONS.labels(pipeline=self.pipeline.name, reason=reason)
        for table in HOT_TABLES:
            STREAM_RECORDS.labels(pipeline=self.pipeline.name, table=table)
        for topic, table in tables_by_topic(self.pipeline).items():
            for reason in DEAD_LETTER_REASONS if table != "facts" else ():
                DEAD_LETTERS.labels(pipeline=self.pipeline.name, topic=topic, reason=reason)

    @cached_property
    def _ends(self) -> Ends:
        return Ends(self.places.cloud)

    @cached_property
    def _seen_ids(self) -> SeenTopicIds:
        topics = list(tables_by_topic(self.pipeline))
        return SeenTopicIds(self.places.cloud, topics, self.places.topic_ids(self.pipeline.name))

    @property
    def checkpoint(self) -> str:
        return self.places.checkpoint(self.pipeline.name, "hot")

    def run(self) -> StreamingQuery:
        """Start at the checkpoint's last commit, or at the topics' beginning."""
        self.progress.commit(committed_offsets(self.checkpoint))
        self.spark.sparkContext.setLocalProperty("spark.scheduler.pool", "hot")
        stream = decoder_input(read_kafka(self.spark, self.places, self.pipeline), self.pipeline.clock.imports)
        writer = stream.writeStream.foreachBatch(self._batch).queryName(self.pipeline.name)
        seconds = f"{self.trigger.total_seconds()} seconds"
        return writer.option("checkpointLocation", self.checkpoint).trigger(processingTime=seconds).start()

    def _batch(self, records: DataFrame, batch: int) -> None:
        """Append a batch to the tables that it has records for, then note up to where they are complete."""
        started_s = time.time()
        query = str(self.spark.sparkContext.getLocalProperty("sql.streaming.queryId"))
        start, end = self.progress.committed, offsets_of_batch(self.checkpoint, batch)
        firsts, made_anew = first_offsets(self._ends, start.keys() & end.keys(), FIRSTS_S), self._seen_ids.made_anew()
        lost = gaps(start, end, firsts, made_anew)
        for gap in lost:
            after_ms, now_ms = self.progress.reached(gap.partition), round(started_s * 1000)
            self.lose(loss_notice(self.places.cloud, "hot query", gap, after_ms, now_ms))
        summary = self.append(self._with_passed_over(records, lost, end), (query, batch))
        self._seen_ids.note()
        self.progress.commit(end)
        self._measure(summary, batch, started_s)

    def _with_passed_over(self, records: DataFrame, lost: Iterable[Gap], end: Offsets) -> DataFrame:
        """The batch with what a topic that was made anew already holds: Spark goes on at its end, not at its first.

        Where that has come further than the old one, Spark reads on from the old offset.
        """
        ranges = {g.partition: (g.first, min(g.start, end[g.partition])) for g in lost if g.made_anew}
        if not any(first < last for first, last in ranges.values()):
            return records
        again = decoder_input(read_range(self.spark, self.places, ranges), self.pipeline.clock.imports)
        return records.unionByName(again)

    def append(self, records: DataFrame, batch: Batch) -> Summary:
        """Append a batch to each table that has not had it. After a large batch, the next is treated as large too."""
        summary = self._append_small(records, batch) if self._goes_small else None
        summary = summary or self._append_large(records, batch)
        self._goes_small = summary.bytes <= SMALL_BYTES // 2  # half of it may be one task's whole share
        return summary

    def _append_small(self, records: DataFrame, batch: Batch) -> Summary | None:
        """Append through the driver; None, and nothing is appended, where the batch is too large for that."""
        share = SMALL_BYTES // self.spark.sparkContext.defaultParallelism
        decoded = decode(records, replace(self.decoding, most_bytes=share)).toArrow()
        summary = Summary.of(decoded[SUMMARY].drop_null().to_pylist())
        if not summary.is_whole:
            return None
        append_small(decoded, summary.records, self._tables(), batch)
        return summary

    def _append_large(self, records: DataFrame, batch: Batch) -> Summary:
        decoded = decode(records, self.decoding).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            summary = Summary.of(row[0] for row in decoded.where(F.col(SUMMARY).isNotNull()).select(SUMMARY).collect())
            append_large(decoded, summary.records, self._tables(), batch)
        finally:
            decoded.unpersist()
        return summary

    def _tables(self) -> dict[str, str]:
        return {table: self.places.table(self.pipeline.name, table) for table in HOT_TABLES}

    def _measure(self, summary: Summary, batch: int, started_s: float) -> None:
        name, now_s = self.pipeline.name, time.time()
        self.clocks.add(summary.delays_us, summary.far_delays_us, summary.delay_counts, now_s)
        STREAM_BATCH_SECONDS.labels(pipeline=name).observe(now_s - started_s)
        if summary.imported:
            IMPORTED_SECONDS.labels(pipeline=name).set(now_s)
        if summary.oldest_us is not None:
            STREAM_DELAY_SECONDS.labels(pipeline=name).observe(now_s - summary.oldest_us / 1e6)
        for table, count in summary.records.items():
            STREAM_RECORDS.labels(pipeline=name, table=table).inc(count)
        self._count_refused(summary)
        counts = " ".join(f"{table}={count}" for table, count in summary.records.items())
        log.info("batch committed pipeline=%s batch=%d seconds=%.1f %s", name, batch, now_s - started_s, counts)

    def _count_refused(self, summary: Summary) -> None:
        for reason, count in summary.quarantined.items():
            QUARANTINED_QUESTIONS.labels(pipeline=self.pipeline.name, reason=reason).inc(count)
        for topic, reasons in summary.dead_letters.items():
            for reason, count in reasons.items():
                DEAD_LETTERS.labels(pipeline=self.pipeline.name, topic=topic, reason=reason).inc(count)


def read_kafka(spark: SparkSession, places: Places, pipeline: Pipeline) -> DataFrame:
    """The pipeline's topics in the cloud, committed records only.

    Records that are gone do not end the query: it goes on with the first that is held, and `_batch` tells the loss.
    """
    reader = spark.readStream.format("kafka").option("subscribe", ",".join(tables_by_topic(pipeline)))
    for name, value in _consumer_options(places).items():
        reader = reader.option(name, value)
    return (
        reader.option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", str(MOST_RECORDS))
        .option("groupIdPrefix", f"hotpath-{pipeline.name}")
        .load()
    )


def read_range(spark: SparkSession, places: Places, ranges: Mapping[Partition, tuple[int, int]]) -> DataFrame:
    """The records of some partitions between two offsets each, as `read_kafka` gives them."""
    reader = spark.read.format("kafka").option("assign", _assigned(ranges))
    for name, value in _consumer_options(places).items():
        reader = reader.option(name, value)
    starts, ends = ({of: bounds[number] for of, bounds in ranges.items()} for number in (0, 1))
    return reader.option("startingOffsets", _by_topic(starts)).option("endingOffsets", _by_topic(ends)).load()


def _assigned(partitions: Iterable[Partition]) -> str:
    """Spark's JSON for some partitions."""
    topics: dict[str, list[int]] = {}
    for topic, number in partitions:
        topics.setdefault(topic, []).append(number)
    return json.dumps(topics)


def _by_topic(values: Mapping[Partition, int]) -> str:
    """Spark's JSON for an offset of each partition."""
    topics: dict[str, dict[str, int]] = {}
    for (topic, number), value in values.items():
        topics.setdefault(topic, {})[str(number)] = value
    return json.dumps(topics)


def _consumer_options(places: Places) -> dict[str, str]:
    return {f"kafka.{name}": value for name, value in java_settings(places.cloud).items()} | {
        "kafka.isolation.level": "read_committed",
        "kafka.max.partition.fetch.bytes": str(MAX_RECORD_BYTES),
        "includeHeaders": "true",
        "failOnDataLoss": "false",
    }


def decoder_input(stream: DataFrame, imports: bool) -> DataFrame:
    """The decoder's columns. Nothing is computed of what a record states: Spark would fail at a number that is huge."""
    header = F.element_at(F.filter("headers", lambda h: h["key"] == APPEND_TIME_HEADER), -1)
    empty = F.lit(bytearray())
    stated = F.when(header.isNotNull(), F.coalesce(header["value"], empty)) if imports else F.lit(None).cast("binary")
    return stream.select(
        "topic",
        "partition",
        "offset",
        F.col("timestamp").alias("kafka_time"),
        stated.alias("stated"),
        F.col("key").alias("kafka_key"),
        "value",
    )


def decode(records: DataFrame, decoding: RecordDecoder) -> DataFrame:
    """Every record in its table's struct, in one pass; in few tasks, as a task costs more than a small batch."""
    cores = records.sparkSession.sparkContext.defaultParallelism
    return records.coalesce(cores).mapInArrow(decoding, spark_schema(decoding.schema))
