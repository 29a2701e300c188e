"""What the rows look like, from a real table to the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from prometheus_client import REGISTRY

from contract.layout import Places
from contract.records import SPAN_BUCKETS
from monitoring.collect import feature_rows
from monitoring.collect.feature_rows import FeatureReader
from monitoring.judge.data_health import DataFollower, data_health
from streaming.lake.built_table import BuiltTable, rows_table
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from streaming.rows.build_buckets import ensure_built

PIPELINE = load(Path(__file__).parents[3] / "examples/flights/pipeline.toml")
BUCKET_S = 60
SPAN_S = SPAN_BUCKETS * BUCKET_S
START_S = 1_795_252_000 // SPAN_S * SPAN_S


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})


@pytest.fixture
def table(places: Places) -> BuiltTable:
    table = rows_table(places, PIPELINE, compile_pipeline(PIPELINE).feature_types)
    ensure_built(table)
    return table


def append(
    table: BuiltTable,
    bucket: npt.NDArray[np.int64],
    wind: Sequence[float | None],
    labels_after_s: Sequence[float | None],
    state: str = "row",
) -> None:
    """Rows that differ in one number, and in when their label came."""
    us = pa.timestamp("us", "UTC")
    own = {
        "bucket": pa.array(bucket),
        "span": pa.array(bucket // SPAN_S * SPAN_S),
        "state": pa.array([state] * len(bucket)),
        "f_wind": pa.array(wind, pa.float64()),
        "f_origin": pa.array(["JFK", "EWR"] * (len(bucket) // 2)),
        "as_of": pa.array(bucket * 1_000_000, us),
        "label_append_time": pa.array(
            [
                None if after is None else int((start + after) * 1_000_000)
                for start, after in zip(bucket.tolist(), labels_after_s, strict=True)
            ],
            us,
        ),
    }
    columns = [own.get(field.name, pa.nulls(len(bucket), field.type)) for field in table.schema]
    write_deltalake(table.url, pa.table(columns, schema=table.schema), mode="append")


def usual(table: BuiltTable, buckets: range, shift: float = 0.0, rows: int = 200) -> None:
    random, starts = np.random.default_rng(buckets.start), np.array(buckets) * BUCKET_S + START_S
    bucket = np.repeat(starts, rows)
    wind = (random.normal(size=len(bucket)) + shift).tolist()
    append(table, bucket, wind, (random.random(len(bucket)) * 100).tolist())


def shown(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"pipeline": "flights", **labels})


def test_without_rows_there_is_nothing_to_show(places: Places, table: BuiltTable) -> None:
    reader = FeatureReader(places, PIPELINE)
    assert reader.read() is None
    usual(table, range(1))
    sampled = reader.read()
    assert sampled is not None
    assert data_health(sampled) is None, "one window has nothing to be compared with"
    assert (
        FeatureReader(Places(places.data / "no", {"HOTPATH_HDFS": f"file://{places.data}/no"}), PIPELINE).read() is None
    )


def test_a_feature_that_moves_is_drift_and_one_that_does_not_is_none(places: Places, table: BuiltTable) -> None:
    follower = DataFollower(places, lambda: [PIPELINE])
    usual(table, range(250))
    follower.look()
    assert shown("hotpath_data_drift_alarm", feature="wind") == 0
    assert 0 < (shown("hotpath_data_drift_psi", feature="wind") or 0) < 0.1
    usual(table, range(250, 265), shift=0.8)
    follower.look()
    assert shown("hotpath_data_drift_alarm", feature="wind") == 1
    assert (shown("hotpath_data_drift_psi", feature="wind") or 0) > 0.2
    assert shown("hotpath_data_drift_alarm", feature="origin") == 0
    follower._deployed = list
    follower.look()
    assert shown("hotpath_data_drift_alarm", feature="wind") is None, "a pipeline that is gone has no figures"


def test_missing_values_and_label_delays_are_those_of_the_newest_whole_window(
    places: Places, table: BuiltTable
) -> None:
    usual(table, range(20), rows=1200)
    bucket = np.full(1000, START_S + 20 * BUCKET_S)
    append(table, bucket, [None, 1.0, 2.0, 3.0] * 250, [None if n % 2 else n / 10 for n in range(1000)])
    append(table, bucket, [None] * 1000, [1e9] * 1000, state="expired")
    append(table, bucket + BUCKET_S, [None] * 1000, [5.0] * 1000)
    sampled = FeatureReader(places, PIPELINE).read()
    assert sampled is not None
    assert sampled.window_s == BUCKET_S
    found = data_health(sampled)
    assert found is not None
    assert found.missing["wind"] == 0.25
    assert found.missing["humidity"] == 1
    assert found.missing["origin"] == 0
    assert found.label_delay_s["p50"] == pytest.approx(25.0, abs=0.5), "of the first 500 rows, in which all are kept"


def test_windows_grow_until_they_hold_rows_enough_but_leave_a_past(places: Places, table: BuiltTable) -> None:
    usual(table, range(48), rows=100)
    sampled = FeatureReader(places, PIPELINE).read()
    assert sampled is not None
    assert sampled.window_s == 10 * BUCKET_S
    short = replace(PIPELINE, training=replace(PIPELINE.training, window=timedelta(minutes=70)))
    sampled = FeatureReader(places, short).read()
    assert sampled is not None
    assert sampled.window_s == 5 * BUCKET_S


def test_what_is_unchanged_is_not_looked_at_again_and_buckets_are_sampled(
    places: Places, table: BuiltTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_rows, "MOST_OF_A_BUCKET", 30)
    usual(table, range(4), rows=1000)
    reader = FeatureReader(places, PIPELINE)
    sampled = reader.read()
    assert sampled is not None
    assert sampled.rows.num_rows == 4 * 30
    assert reader.read() is None
