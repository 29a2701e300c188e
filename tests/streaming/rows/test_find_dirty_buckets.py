"""Which buckets are ready, from the tables' logs alone: without Spark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from streaming.lake.built_table import BuiltTable, rows_table
from streaming.rows.build_buckets import Inputs, ensure_built
from streaming.rows.build_watermark import BuildWatermark
from streaming.rows.find_dirty_buckets import AGAIN_MS, DirtyBuckets, find_dirty_buckets
from tests.integration.rows_world import MINUTE_S, START_S, Record, label, moment, question
from tests.integration.small_lake import Lake

SECOND_BUCKET_S = START_S + MINUTE_S
NONE, FIRST, SECOND = frozenset[int](), frozenset({START_S}), frozenset({SECOND_BUCKET_S})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    lake.commit([question(0, START_S + 30), question(1, SECOND_BUCKET_S + 30)])
    return lake


def rows_of(lake: Lake) -> BuiltTable:
    table = rows_table(lake.places, lake.pipeline, lake.compiled.feature_types)
    ensure_built(table)
    return table


def look(lake: Lake, upto: BuildWatermark, caught_up_s: float, now_ms: int = 10 * AGAIN_MS) -> DirtyBuckets:
    inputs = Inputs(lake.version("events"), lake.version("labels"))
    return find_dirty_buckets(rows_of(lake), lake.pipeline, upto, inputs, moment(caught_up_s), now_ms)


def late(number: int) -> list[Record]:
    """A question about the first bucket that comes when it is closed."""
    return [question(number, START_S + 30)]


def test_a_bucket_closes_once(lake: Lake) -> None:
    first = look(lake, BuildWatermark(), START_S + 60)
    assert (first.closing, first.reopening) == (FIRST, NONE)
    again = look(lake, first.upto, START_S + 60)
    assert not again.buckets
    assert look(lake, first.upto, START_S + 120).closing == SECOND


def test_what_is_closed_stays_closed_though_less_is_known_to_be_caught_up(lake: Lake) -> None:
    closed = look(lake, BuildWatermark(), START_S + 120).upto
    fallen_back = look(lake, closed, START_S)
    assert not fallen_back.buckets
    assert fallen_back.upto.closed_to_s == START_S + 120


def test_a_changed_bucket_waits_for_its_minute_and_is_not_forgotten_meanwhile(lake: Lake) -> None:
    closed = look(lake, BuildWatermark(), START_S + 120).upto
    lake.commit(late(2))
    first = look(lake, closed, START_S + 120)
    assert (first.closing, first.reopening, first.upto.pending) == (NONE, FIRST, ())
    lake.commit(late(3))
    waits = look(lake, first.upto, START_S + 120, 11 * AGAIN_MS - 1)
    assert (waits.reopening, waits.upto.pending) == (NONE, (START_S,))
    later = look(lake, waits.upto, START_S + 120, 11 * AGAIN_MS)
    assert (later.reopening, later.upto.pending) == (FIRST, ())


@pytest.mark.parametrize("with_log", [True, False])
def test_a_long_outage_has_only_those_buckets_built_anew_to_which_something_came(lake: Lake, with_log: bool) -> None:
    """After two hours the log does not say any more what was added: the stamps of the files do."""
    closed = look(lake, BuildWatermark(), START_S + 120).upto
    came_s = START_S + 200
    lake.commit(
        [replace(question(2, START_S + 30), append_s=came_s), replace(question(3, START_S + 150), append_s=came_s)]
    )
    if not with_log:
        forget_log(lake.url("events"))
    ready = look(lake, closed, START_S + 120)
    assert (ready.closing, ready.reopening) == (NONE, FIRST)


def test_a_label_that_came_after_a_long_outage_reopens_its_buckets_alone(lake: Lake) -> None:
    lake.commit([replace(question(4, SECOND_BUCKET_S + 40), value=question(4, 0).value | {"entity": "other"})])
    closed = look(lake, BuildWatermark(), START_S + 120).upto
    build_states(lake, {START_S: "e", SECOND_BUCKET_S: "other"})
    lake.commit([label(0, START_S + 125, entity="e")])
    forget_log(lake.url("labels"))
    assert look(lake, closed, START_S + 120).reopening == FIRST


def test_nothing_that_came_since_means_nothing_to_build(lake: Lake) -> None:
    lake.commit([label(0, START_S + 50)])
    closed = look(lake, BuildWatermark(), START_S + 120).upto
    lake.commit([replace(question(9, START_S + 999), append_s=START_S + 300)])
    for table in ("events", "labels"):
        forget_log(lake.url(table))
    assert not look(lake, closed, START_S + 120).buckets


def build_states(lake: Lake, entity_of: dict[int, str]) -> None:
    """The built table has a question of that entity in each of these buckets."""
    table = rows_of(lake)
    rows = [
        {"bucket": bucket, "key": f'["{entity}"]', "append_time": moment(START_S), "span": bucket, "state": "expired"}
        for bucket, entity in entity_of.items()
    ]
    write_deltalake(table.url, pa.Table.from_pylist(rows, schema=table.schema), mode="append")


def forget_log(url: str) -> None:
    """As after a day: what the commits said stands in a checkpoint alone."""
    DeltaTable(url).create_checkpoint()
    for commit in Path(url.removeprefix("file://")).glob("_delta_log/*.json"):
        commit.unlink()
