"""The one Spark session of the streaming process."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from contract import variables
from contract.environment import Environment
from contract.layout import Places

JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
"""Batches are small: the JVM's second compiler (C2) costs more processor time than it saves, and delays the first one.
With one compiler the JVM reserves a code cache of 48 MB, which Spark fills within a minute: then nothing is compiled
any more."""

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
    # the default of 100 is too small: the classes of the hot query and of the rows job would evict each other
    "spark.sql.codegen.cache.maxEntries": "1000",
    # the default starts one task for each file to list the files of a version
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    "spark.sql.streaming.minBatchesToRetain": "20",
    "spark.sql.streaming.metricsEnabled": "false",
    # shuffle files (20 MB a minute) are removed when the JVM collects their objects: by default every half hour
    "spark.cleaner.periodicGC.interval": "5min",
    # many buckets a batch: a writer open for each, instead of a sort
    "spark.sql.maxConcurrentOutputFileWriters": "64",
    "spark.sql.parquet.compression.codec": "zstd",
    # after how many records a writer checks its memory: the default of 100 is too many for records of 8 MB
    "spark.hadoop.parquet.page.size.row.check.min": "4",
    # INT96 counts nanoseconds in 64 bits, which cannot hold the year 9999
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # without the second a file's close waits for 400 ms
    "spark.hadoop.dfs.client.use.datanode.hostname": "true",
    "spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "10",
}


def start_spark(places: Places) -> SparkSession:
    """The session, with the jars, the memory and the address that the environment says.

    Raises:
        VariableError: a variable is malformed, or no folder of jars is named.
        RuntimeError: the folder holds no jars of Delta.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", bind_address())
    builder = SparkSession.builder.master(places.spark_master).appName("hotpath")
    for name, value in (SETTINGS | _settings_of(places)).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _settings_of(places: Places) -> dict[str, str]:
    scratch = places.folder.spark
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed driver has left: nobody else would remove it
    scratch.mkdir(parents=True, exist_ok=True)
    environment, bind = Environment(), bind_address()
    return {
        "spark.driver.extraClassPath": f"{_jars(environment)}/*",
        "spark.executor.extraClassPath": f"{_jars(environment)}/*",
        "spark.driver.memory": environment.get(variables.MEMORY["SPARK"]),
        "spark.hadoop.dfs.replication": str(environment.get(variables.HDFS_REPLICATION)),
        "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Djava.io.tmpdir={scratch} -Dderby.system.home={scratch}",
        "spark.driver.bindAddress": bind,
        "spark.driver.host": environment.get(variables.ADVERTISE) or bind,
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        "spark.executorEnv.PYTHONPATH": str(Path(__file__).parent.parent),
        "spark.executorEnv.ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def bind_address() -> str:
    """Where executors of a cluster reach the driver."""
    environment = Environment()
    return environment.get(variables.SPARK_BIND) or environment.get(variables.BIND)


def _jars(environment: Environment) -> Path:
    folder = environment.required(variables.SPARK_JARS)
    if not any(folder.glob("delta-*.jar")) and not any(folder.glob("*delta-spark*.jar")):
        stated = variables.SPARK_JARS.with_value(str(folder))
        raise RuntimeError(f"{stated}: the folder holds no Delta jars; `./hotpath up` installs them")
    return folder
