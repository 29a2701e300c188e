"""The rolling window: which Parquet files of one version of `rows` hold it, and where the holdout begins."""

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


def newest_window(places: Places, pipeline: Pipeline) -> Window | None:
    """The window that ends with the newest built bucket; None while there are no rows."""
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
    start = end - int(pipeline.training.window.total_seconds())
    return Window(url, version, start, split, end, tuple(_within(files, pipeline, start, end, url)))


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
    length = SPAN_BUCKETS * int(pipeline.lake.buckets.total_seconds())
    for file in files:
        if file.span < end and file.span + length > start:
            yield f"{url}/{file.path}"
