"""The commit files of a Delta table, read without Spark: what was added since a version, and what a writer noted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import TableNotFoundError

from streaming.lake.delta_tables import add_actions, opened
from streaming.lake.filesystem import file_system


class LogGone(LookupError):
    """A commit file is not there any more: its retention has passed."""


@dataclass(frozen=True)
class Added:
    """A file that a commit added to the table's data."""

    path: str
    partition: dict[str, str | None]


def newest_version(url: str) -> int | None:
    """None where there is no table."""
    try:
        with opened(url) as table:
            return int(table.version())
    except TableNotFoundError:
        return None


def added_since(url: str, after: int, upto: int) -> list[Added]:
    """The files that the commits in (after, upto] added; rewriting alone (compaction) adds none.

    Raises:
        LogGone: one of these commits is not kept any more.
    """
    adds = (
        action["add"] for version in range(after + 1, upto + 1) for action in _commit(url, version) if "add" in action
    )
    return [Added(unquote(add["path"]), add["partitionValues"]) for add in adds if add["dataChange"]]


def stamped_since(url: str, version: int, since_s: int) -> list[Added]:
    """The files of a version that may hold a record which Kafka stamped at that moment or later.

    A file without statistics may. Records that a compaction has moved are in files of their own stamps.
    """
    files = add_actions(url, version)
    newest = (
        files["max.kafka_time"].cast(pa.timestamp("us", tz="UTC")) if "max.kafka_time" in files.schema.names else None
    )
    if newest is not None:
        since = pa.scalar(since_s * 1_000_000, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
        files = files.filter(pc.fill_null(pc.greater_equal(newest, since), True))
    names = [name for name in files.schema.names if name.startswith("partition.")]
    partitions = files.select(names).rename_columns([name.removeprefix("partition.") for name in names]).to_pylist()
    return [
        Added(path, {name: None if value is None else str(value) for name, value in partition.items()})
        for path, partition in zip(files["path"].to_pylist(), partitions, strict=True)
    ]


def last_note(url: str, newest: int) -> str | None:
    """The newest commit's `userMetadata`, of those that have any; None when none is kept."""
    for version in range(newest, -1, -1):
        try:
            notes = [
                action["commitInfo"].get("userMetadata") for action in _commit(url, version) if "commitInfo" in action
            ]
        except LogGone:
            return None
        if notes and notes[0]:
            return str(notes[0])
    return None


def _commit(url: str, version: int) -> Iterator[dict[str, Any]]:
    files, path = file_system(url)
    try:
        with files.open(f"{path}/_delta_log/{version:020d}.json", "rb") as log:
            lines = log.read().splitlines()
    except FileNotFoundError:
        raise LogGone(f"{url}: commit {version} is not kept any more") from None
    return (json.loads(line) for line in lines if line)
