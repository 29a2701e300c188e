"""The rolling window and the holdout after it: their ends, and which Parquet files of one version of `rows` hold them.

start ............ split ....... end
      [training] window   holdout    the newest built bucket ends here
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import SPAN_BUCKETS
from streaming.lake.delta_log import LogGone, added_since
from streaming.lake.delta_tables import opened

Ranges: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Window:
    """Buckets in [start, split) train, those in [split, end) hold out; seconds since 1970, by `due`."""

    table: str
    version: int
    start: int
    split: int
    end: int
    files: tuple[str, ...]
    """URLs of the Parquet files, all of whose records are in the state `row`."""
    excluded: Ranges = ()
    """Ranges [from, to) of buckets that neither train nor hold out, since records of theirs were lost."""

    @property
    def moments(self) -> tuple[datetime, datetime, datetime]:
        start, split, end = (datetime.fromtimestamp(moment, UTC) for moment in (self.start, self.split, self.end))
        return start, split, end


def newest_window(places: Places, pipeline: Pipeline, excluded: Ranges = ()) -> Window | None:
    """The holdout ends with the newest built bucket, the window before the holdout; None while there are no rows.

    Buckets in `excluded` are left out of both.
    """
    url = places.table(pipeline.name, f"rows-{pipeline.rows_hash}")
    try:
        with opened(url) as table:
            files, version = _row_files(table), table.version()
    except TableNotFoundError:
        return None
    newest = _newest_bucket(files)
    if newest is None:
        return None
    end = newest + int(pipeline.lake.buckets.total_seconds())
    split = end - int(pipeline.training.holdout.total_seconds())
    start = split - int(pipeline.training.window.total_seconds())
    return Window(url, version, start, split, end, tuple(_within(files, pipeline, start, end, url)), excluded)


def has_new_rows(pipeline: Pipeline, window: Window, since: Window) -> bool:
    """Whether training would see other rows than it did with the window before.

    Compaction gives a table other files with the same rows; the log says which files brought rows. What retention
    removed is no news.
    """
    if window.files == since.files and window.excluded == since.excluded:
        return False
    if (window.table, window.excluded) != (since.table, since.excluded) or window.version < since.version:
        return True
    try:
        added = added_since(window.table, since.version, window.version)
    except LogGone:
        return True
    spans = [int(file.partition["span"] or 0) for file in added if file.partition["state"] == "row"]
    return any(_reaches_into(span, pipeline, window.start, window.end) for span in spans)


@dataclass(frozen=True)
class _File:
    path: str
    span: int
    newest: int | None


def _row_files(table: DeltaTable) -> list[_File]:
    actions = table.get_add_actions(flatten=True)
    columns = [actions.column(name).to_pylist() for name in ("path", "partition.span", "partition.state", "max.bucket")]
    return [
        _File(path, int(span), None if newest is None else int(newest))
        for path, span, state, newest in zip(*columns, strict=True)
        if state == "row"
    ]


def _newest_bucket(files: Iterable[_File]) -> int | None:
    return max((file.newest for file in files if file.newest is not None), default=None)


def _within(files: Iterable[_File], pipeline: Pipeline, start: int, end: int, url: str) -> Iterable[str]:
    return (f"{url}/{file.path}" for file in files if _reaches_into(file.span, pipeline, start, end))


def _reaches_into(span: int, pipeline: Pipeline, start: int, end: int) -> bool:
    """Whether a span of buckets holds one of [start, end)."""
    return span < end and span + SPAN_BUCKETS * int(pipeline.lake.buckets.total_seconds()) > start
