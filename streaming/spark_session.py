"""The one Spark session of the streaming process."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from contract.layout import Places

BIND = os.environ.get("HOTPATH_SPARK_BIND", "127.0.0.1")
"""Where executors of a cluster reach the driver."""

JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
"""Batches are small: the second compiler costs more CPU than it saves, and the first batch comes much sooner.
Its usual code cache is full after a minute, from when on nothing is compiled."""

SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",  # the expressions' meaning
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # pipelines and rows jobs share the cores fairly: a large build does not hold up the hot queries
    "spark.scheduler.mode": "FAIR",
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    # by default a hundred: what the hot query and the rows job alternate between is compiled anew every time
    "spark.sql.codegen.cache.maxEntries": "1000",
    # a task a file otherwise, to look at the files of a version
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    "spark.sql.streaming.minBatchesToRetain": "20",
    "spark.sql.streaming.metricsEnabled": "false",
    # a shuffle leaves its files, twenty megabytes a minute, until its objects are collected: by default every half hour
    "spark.cleaner.periodicGC.interval": "5min",
    # many buckets a batch: a writer open for each, instead of a sort
    "spark.sql.maxConcurrentOutputFileWriters": "64",
    "spark.sql.parquet.compression.codec": "zstd",
    # the older form counts nanoseconds, in which the year 9999 has no place
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # without the second a file's close waits for 400 ms
    "spark.hadoop.dfs.client.use.datanode.hostname": "true",
    "spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "10",
    "spark.hadoop.dfs.replication": os.environ.get("HOTPATH_HDFS_REPLICATION", "1"),
}


def start_spark(places: Places) -> SparkSession:
    """The session, with the jars in HOTPATH_SPARK_JARS and HOTPATH_SPARK_MEMORY (default 1g) for its driver.

    Raises:
        RuntimeError: HOTPATH_SPARK_JARS names no folder with jars.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", BIND)
    builder = SparkSession.builder.master(places.spark_master).appName("hotpath")
    for name, value in (SETTINGS | _settings_of(places)).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _settings_of(places: Places) -> dict[str, str]:
    scratch = places.data / "spark"
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed driver has left: nobody else would remove it
    scratch.mkdir(parents=True, exist_ok=True)
    return {
        "spark.driver.extraClassPath": f"{_jars()}/*",
        "spark.driver.memory": os.environ.get("HOTPATH_SPARK_MEMORY", "1g"),
        "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Djava.io.tmpdir={scratch} -Dderby.system.home={scratch}",
        "spark.driver.bindAddress": BIND,
        "spark.driver.host": BIND,
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        "spark.executorEnv.PYTHONPATH": str(Path(__file__).parent.parent),
        "spark.executorEnv.ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def _jars() -> Path:
    folder = Path(os.environ.get("HOTPATH_SPARK_JARS", ""))
    if not any(folder.glob("delta-*.jar")) and not any(folder.glob("*delta-spark*.jar")):
        raise RuntimeError(f'HOTPATH_SPARK_JARS="{folder}" holds no Delta jars; `./hotpath up` installs them')
    return folder.absolute()
