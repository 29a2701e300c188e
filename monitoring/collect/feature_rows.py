"""A sample of the rows that models are trained on, for what the data look like: a few hundred of each bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pyarrow as pa
from deltalake.exceptions import TableNotFoundError

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import FEATURE_PREFIX, SPAN_BUCKETS
from monitoring.collect.table_files import Partition, TableFiles
from streaming.lake.delta_tables import add_actions

MOST_OF_A_BUCKET = 500
"""Of each batch of a file and each bucket in it, so many rows are kept."""
FEWEST_IN_A_WINDOW = 1000
"""With fewer rows, a window of equal data stands out too often."""
WINDOWS = 50
FEWEST_WINDOWS = 14


@dataclass(frozen=True)
class Sampled:
    """Rows with `bucket`, `as_of`, `label_append_time` and the features, in windows of `window_s` seconds of `due`."""

    rows: pa.Table
    window_s: int


@dataclass
class FeatureReader:
    """The rows of one pipeline; each of the table's files is read once."""

    places: Places
    pipeline: Pipeline
    _url: str = field(init=False)
    _files: TableFiles[pa.RecordBatch] = field(init=False)

    def __post_init__(self) -> None:
        self._url = self.places.table(self.pipeline.name, f"rows-{self.pipeline.rows_hash}")
        features = [f"{FEATURE_PREFIX}{name}" for name in self.pipeline.features]
        columns = ("bucket", "as_of", "label_append_time", *features)
        self._files = TableFiles(self._url, columns, _sample)

    def read(self) -> Sampled | None:
        """The newest windows; None while the table has nothing new since the last call, or is not there."""
        try:
            rows_of = _rows_by_span(self._url)
        except TableNotFoundError:
            return None
        if not rows_of:
            return None
        window_s = self._window_s(rows_of)
        since_s = max(rows_of) - WINDOWS * window_s

        def wanted(partition: Partition) -> bool:
            return partition["state"] == "row" and int(partition["span"]) >= since_s

        if not self._files.refresh(wanted):
            return None
        batches = self._files.made()
        return Sampled(pa.Table.from_batches(batches), window_s) if batches else None

    def _window_s(self, rows_of: Mapping[int, int]) -> int:
        """As long as it takes to retrain, or longer where rows are few; but so that the past has windows enough."""
        every_s, bucket_s = (
            each // timedelta(seconds=1) for each in (self.pipeline.training.every, self.pipeline.lake.buckets)
        )
        newest = sorted(rows_of)[-WINDOWS:]
        per_second = sum(rows_of[span] for span in newest) / (newest[-1] + SPAN_BUCKETS * bucket_s - newest[0])
        longest = self.pipeline.training.window // timedelta(seconds=1) // FEWEST_WINDOWS
        wanted_s = min(max(every_s, FEWEST_IN_A_WINDOW / per_second), max(longest, every_s))
        return max(1, -int(-wanted_s // bucket_s)) * bucket_s


def _rows_by_span(url: str) -> dict[int, int]:
    """Span -> its rows, from the table's log alone."""
    found: dict[int, int] = {}
    for action in add_actions(url).to_pylist():
        if action["partition.state"] == "row" and action["num_records"]:
            span = int(action["partition.span"])
            found[span] = found.get(span, 0) + int(action["num_records"])
    return found


def _sample(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The first rows of each bucket. Rows stand in no order that depends on what is in them."""
    buckets = np.asarray(batch["bucket"], np.int64)
    order = np.argsort(buckets, kind="stable")
    starts = np.flatnonzero(np.concatenate(([True], np.diff(buckets[order]) != 0)))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    kept = np.sort(order[rank < MOST_OF_A_BUCKET])
    return batch.take(pa.array(kept)) if len(kept) < batch.num_rows else batch
