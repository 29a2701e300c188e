"""The two tables that are built bucket by bucket: `rows` from `events`, `outcomes` from `predictions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from contract.layout import Places
from contract.pipeline import Pipeline, Type
from contract.records import FEATURE_PREFIX, OUTCOMES, ROW_STATE, SPAN_BUCKETS
from streaming.lake.hot_tables import ARROW_TYPES, PROPERTIES

BUILT_PROPERTIES = PROPERTIES | {
    # the trainer finds a window's files by their buckets; the job its dirty ones
    "delta.dataSkippingStatsColumns": "bucket,due,append_time",
    # a version that a kept candidate names stays readable: candidates are kept for a week
    "delta.logRetentionDuration": "interval 8 days",
}
PARTITIONS = ("span", "state")


@dataclass(frozen=True)
class BuiltTable:
    """Where a table of states comes from and goes to."""

    name: str
    url: str
    source: str
    labels: str
    topics: tuple[str, ...]
    """The topics that must be caught up before a bucket closes."""
    question: tuple[str, ...]
    """The columns that, within a bucket, say which question a record is."""
    schema: pa.Schema
    bucket: timedelta

    @property
    def bucket_s(self) -> int:
        return self.bucket // timedelta(seconds=1)

    @property
    def span_s(self) -> int:
        return self.bucket_s * SPAN_BUCKETS

    @property
    def has_features(self) -> bool:
        return self.name == "rows"


def rows_table(places: Places, pipeline: Pipeline, feature_types: Mapping[str, Type]) -> BuiltTable:
    """`rows` of the pipeline's present program."""
    features = [pa.field(FEATURE_PREFIX + name, ARROW_TYPES[feature_types[name]]) for name in pipeline.features]
    return BuiltTable(
        name="rows",
        url=places.table(pipeline.name, f"rows-{pipeline.rows_hash}"),
        source=places.table(pipeline.name, "events"),
        labels=places.table(pipeline.name, "labels"),
        topics=(pipeline.events.topic, pipeline.label.topic),
        question=("id",),
        schema=pa.schema([*ROW_STATE[: -len(PARTITIONS)], *features, *ROW_STATE[-len(PARTITIONS) :]]),
        bucket=pipeline.lake.buckets,
    )


def outcomes_table(places: Places, pipeline: Pipeline) -> BuiltTable:
    """`outcomes`: the first prediction of each model for a question counts."""
    return BuiltTable(
        name="outcomes",
        url=places.table(pipeline.name, "outcomes"),
        source=places.table(pipeline.name, "predictions"),
        labels=places.table(pipeline.name, "labels"),
        topics=(pipeline.predictions_topic, pipeline.label.topic),
        question=("id", "model"),
        schema=pa.schema(OUTCOMES),
        bucket=pipeline.lake.buckets,
    )
