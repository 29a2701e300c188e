"""What a streaming query has committed, as its checkpoint says."""

from __future__ import annotations

import json
from collections.abc import Mapping

from streaming.lake.filesystem import file_system

Offsets = Mapping[tuple[str, int], int]
"""(topic, partition) -> the offset after the last record; markers of transactions count."""


def offsets_of_batch(checkpoint: str, batch: int) -> Offsets:
    """Where a batch ends. Spark writes this before the batch runs.

    Raises:
        FileNotFoundError: the checkpoint has no such batch.
    """
    files, path = file_system(checkpoint)
    with files.open(f"{path}/offsets/{batch}", "rb") as log:
        return parse_offsets(log.read().decode())


def committed_offsets(checkpoint: str) -> Offsets:
    """Where the last finished batch ends; empty for a checkpoint that is new."""
    files, path = file_system(checkpoint)
    if not files.exists(f"{path}/commits"):
        return {}
    names = (str(name).rpartition("/")[2] for name in files.ls(f"{path}/commits", detail=False))
    batches = [int(name) for name in names if name.isdigit()]
    return offsets_of_batch(checkpoint, max(batches)) if batches else {}


def parse_offsets(log: str) -> Offsets:
    """Spark's offset log: a version, metadata, and a line per source, which for Kafka is {topic: {partition: n}}."""
    sources = [json.loads(line) for line in log.splitlines()[2:] if line.startswith("{")]
    return {
        (topic, int(partition)): offset
        for source in sources
        for topic, offsets in source.items()
        for partition, offset in offsets.items()
    }
