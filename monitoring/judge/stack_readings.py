"""What is read of the stack as a whole: engines, disks, InfluxDB, deployed files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contract import metrics
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StackInputs

LOGS: Final = {"hdfs": "namenode"}
"""The log of an engine, where it has another name."""


def engines(look: StackInputs) -> Iterator[Reading]:
    """Whether each engine answers; of one that may still be starting nobody knows."""
    for sample in look.now.find(metrics.ENGINE_ANSWERS):
        engine = sample.labels["engine"]
        if engine == "host":
            continue
        is_known = bool(sample.value) or engine not in look.may_be_starting
        text, command = f"{engine} does not answer the monitor", f"./hotpath logs {LOGS.get(engine, engine)}"
        yield Reading(1 - sample.value, text, engine, command=command, is_known=is_known)


def influxdb(look: StackInputs) -> Iterator[Reading]:
    """None where no InfluxDB is named."""
    yield from _unwritten(look, "influxdb", "InfluxDB takes what it is given")


def graphite(look: StackInputs) -> Iterator[Reading]:
    """None where no Graphite is named."""
    yield from _unwritten(look, "graphite", "Graphite takes what it is sent")


def _unwritten(look: StackInputs, history: str, well: str) -> Iterator[Reading]:
    if history in look.unwritten:
        why = look.unwritten[history]
        yield Reading(float(why is not None), why or well)


def disk(look: StackInputs) -> Iterator[Reading]:
    free = look.now.smallest(metrics.HOST_FREE_DISK_BYTES)
    if free is not None:
        yield Reading(free, f"{free / 1e9:,.1f} GB are free on the disk of the data folder")


def hdfs_space(look: StackInputs) -> Iterator[Reading]:
    """None while no DataNode has come yet: an HDFS that starts is not full."""
    free, capacity = look.now.smallest(metrics.HDFS_REMAINING_BYTES), look.now.largest(metrics.HDFS_CAPACITY_BYTES)
    if free is not None and capacity:
        yield Reading(free, f"{free / 1e9:,.1f} GB are free in HDFS")


def missing_blocks(look: StackInputs) -> Iterator[Reading]:
    missing = look.now.largest(metrics.HDFS_MISSING_BLOCKS)
    if missing is not None:
        yield Reading(missing, f"{missing:,.0f} blocks of HDFS are in no copy")


def under_replicated(look: StackInputs) -> Iterator[Reading]:
    for sample in look.now.find(metrics.KAFKA_UNDER_REPLICATED):
        side = sample.labels["side"]
        yield Reading(sample.value, f"{sample.value:,.0f} partitions of kafka-{side} lack replicas in sync", side)


def unreadable_files(look: StackInputs) -> Iterator[Reading]:
    for file, why in look.unreadable.items():
        yield Reading(1, f"the deployed file {file} is not taken up: {why}", file.stem)
