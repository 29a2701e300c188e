"""The rows job over real Spark and Delta: whatever the order of arrival, what one plain batch would make of it."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from contract.records import OUTCOMES
from streaming.lake.built_table import BUILT_PROPERTIES, PARTITIONS, rows_table
from streaming.lake.built_upkeep import keep_up_built
from streaming.lake.delta_tables import create
from streaming.rows import build_buckets
from streaming.rows.rows_job import Built, run_once
from streaming.rows.state_counts import state_counts
from streaming.rows.state_rules import ORDER, first_of_each
from tests.integration.as_plain_batch import assert_as_plain_batch, assert_states
from tests.integration.killed_build import DATA_WRITTEN, ROWS_COMMITTED, build_killed
from tests.integration.random_records import random_records
from tests.integration.rows_world import (
    END_S,
    MINUTE_S,
    START_S,
    Record,
    label,
    moment,
    prediction,
    question,
    text,
)
from tests.integration.small_lake import Far, Lake, rows_at
from tests.integration.spark import spark

__all__ = ["spark"]

MOMENT = timedelta(seconds=1)


def turn(spark: SparkSession, lake: Lake, far: Far, at_s: float) -> Built:
    return run_once(spark, lake.places, lake.pipeline, lake.compiled, far, lambda: at_s)


@pytest.mark.parametrize(("seed", "missing", "few"), [(1, None, build_buckets.FEW_BUCKETS), (2, False, 0)])
def test_any_order_of_arrival_gives_at_every_turn_what_one_plain_batch_gives(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, missing: bool | None, few: int
) -> None:
    monkeypatch.setattr(build_buckets, "FEW_BUCKETS", few)
    lake = Lake(tmp_path / "lake", *([] if missing is None else [("# missing", f"missing = {str(missing).lower()}")]))
    records, draw = random_records(seed, 90), random.Random(seed)
    draw.shuffle(records)
    cuts = [*sorted(draw.sample(range(1, len(records)), 3)), len(records)]
    begin = 0
    for number, cut in enumerate(cuts):
        again = draw.sample(lake.committed, len(lake.committed) // 5)  # as a fresh checkpoint reads them
        lake.commit(records[begin:cut] + again)
        begin = cut
        closed_to_s = END_S if cut == len(records) else START_S + 200 * (number + 1)
        turn(spark, lake, Far(closed_to_s), at_s=number * 100)
        assert_as_plain_batch(lake, closed_to_s // MINUTE_S * MINUTE_S, missing)


def test_ten_questions_about_one_entity_give_ten_rows_and_ten_outcomes(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    due_s = START_S + 90
    asked = [question(n, due_s) for n in range(10)] + [prediction(n, due_s) for n in range(10)]
    lake.commit([*asked, label(0, START_S + 60)])
    turn(spark, lake, Far(), at_s=0)
    rows, outcomes = lake.rows("rows"), lake.rows("outcomes")
    assert [(row["state"], row["label"], row["f_double_x"], row["f_minutes"]) for row in rows] == [
        ("row", True, 3.0, 1.5)
    ] * 10
    assert [(row["state"], row["label"], row["probability"]) for row in outcomes] == [("row", True, 0.25)] * 10
    assert {row["group"] for row in rows} == {'["e"]'}


def test_outcomes_carry_the_levels_of_their_slices_and_an_older_table_gets_the_column(
    spark: SparkSession, tmp_path: Path
) -> None:
    sliced = (
        ('double_x = "x * 2.0"', 'double_x = "x * 2.0"\ncolour = "host"'),
        ("[training]", '[training]\nslices = ["colour"]'),
    )
    lake = Lake(tmp_path / "lake", *sliced)
    older = [field for field in OUTCOMES if field.name != "slices"]
    create(lake.url("outcomes"), pa.schema(older), list(PARTITIONS), BUILT_PROPERTIES)
    due_s = START_S + 90
    levels: list[dict[str, object]] = [
        {"features": {"colour": 'a "b"', "minutes": 1.5}, "event": {"host": "ops-1", "x": 2.0}},
        {"features": {"colour": None}, "event": {}},
    ]
    asked = [prediction(n, due_s, **each) for n, each in enumerate(levels)]
    lake.commit([question(0, due_s), *asked, label(0, START_S + 60)])
    turn(spark, lake, Far(), at_s=0)
    assert [json.loads(row["slices"]) for row in lake.rows("outcomes")] == [
        {"producing_host": "ops-1", "colour": 'a "b"'},
        {},
    ]


def test_a_stalled_mirror_or_an_open_import_closes_nothing(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.commit([question(0, START_S + 30), label(0, START_S + 20)])
    assert turn(spark, lake, Far(None), at_s=0).rows is None
    assert turn(spark, lake, Far(END_S, importing=True), at_s=0).rows is None
    ready = turn(spark, lake, Far(START_S + 59.999), at_s=0).rows
    assert ready is not None
    assert not ready.buckets
    assert state_counts(lake.places, lake.pipeline)["waiting"] == 1
    ready = turn(spark, lake, Far(START_S + 60), at_s=0).rows
    assert ready is not None
    assert ready.closing == {START_S}


def test_what_comes_later_reopens_its_bucket_alone_once_a_minute_and_nothing_new_commits_nothing(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake")
    lake.commit([question(0, START_S + 30), question(1, START_S + 300, entity="other")])
    turn(spark, lake, Far(), at_s=1000)
    first = lake.version("rows")
    turn(spark, lake, Far(), at_s=2000)
    assert lake.version("rows") == first
    lake.commit([label(0, START_S + 140)])
    reopened = turn(spark, lake, Far(), at_s=3000).rows
    assert reopened is not None
    assert not reopened.closing
    assert reopened.reopening == {START_S}
    lake.commit([label(1, START_S + 149.999, 0.0), label(2, START_S + 150, 1.0)])
    second = lake.version("rows")
    turn(spark, lake, Far(), at_s=3059)
    assert lake.version("rows") == second
    turn(spark, lake, Far(), at_s=3060)
    assert_as_plain_batch(lake, END_S)
    assert lake.rows("rows")[0]["label"] is False
    lake.commit([label(3, START_S + 151, 1.0), label(4, START_S + 20, 1.0, entity="nobody")])
    third = lake.version("rows")
    turn(spark, lake, Far(), at_s=4000)
    assert lake.version("rows") == third


def test_moments_out_of_bounds_open_no_partition(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    far_off = [question(0, START_S + 30, due_at="9999-12-31T23:59:59Z"), question(1, START_S + 30, due_at=None)]
    far_off += [question(2, START_S + 30, at=None), question(3, START_S + 30, at=text(START_S + 5 * 3600))]
    lake.commit([*far_off, question(4, START_S + 30)])
    turn(spark, lake, Far(), at_s=0)
    adds = DeltaTable(lake.url("events")).get_add_actions(flatten=True)
    assert {int(bucket) for bucket in adds.column("partition.bucket").to_pylist()} == {-1, START_S}
    counts = state_counts(lake.places, lake.pipeline)
    assert (counts["quarantined"], counts["expired"], sum(counts.values())) == (4, 1, 5)


def test_a_build_that_is_killed_leaves_the_next_one_to_make_what_one_plain_batch_makes(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake")
    records = random_records(3, 40) + random_records(4, 40, START_S + 1500)  # two spans, in two files
    random.Random(3).shuffle(records)
    lake.commit(records[: len(records) // 2])
    build_killed(lake.folder, ROWS_COMMITTED, Far(START_S + 2100), at_s=0)
    assert_states(lake, "rows", START_S + 2100)
    assert not DeltaTable.is_deltatable(lake.url("outcomes"))
    lake.commit(records[len(records) // 2 :])
    before, rows, files = lake.version("rows"), lake.rows("rows"), data_files(lake)
    build_killed(lake.folder, DATA_WRITTEN, Far(), at_s=100)
    assert (lake.version("rows"), lake.rows("rows")) == (before, rows)
    assert data_files(lake) > files
    turn(spark, lake, Far(), at_s=200)
    assert_as_plain_batch(lake, END_S)


def test_upkeep_makes_one_file_of_a_closed_span_and_drops_what_is_past_retention(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake")
    table = rows_table(lake.places, lake.pipeline, lake.compiled.feature_types)
    first, second, third = (START_S + number * table.span_s for number in range(3))
    asked = [asked_then(number, due_s) for number, due_s in enumerate((first, first + 60, second, second + 60, third))]
    lake.commit(asked)
    for number, record in enumerate(asked):
        turn(spark, lake, Far(record.append_s + 120), at_s=number * 100)
    built = lake.rows("rows")
    assert len(built) == 5
    assert files_by_span(lake) == {first: 2, second: 2, third: 1}

    keep_up_built(spark, table, lake.pipeline, moment(third) + lake.pipeline.label.max_late - MOMENT, [])
    assert files_by_span(lake) == {first: 1, second: 2, third: 1}, "the second span is not closed yet"
    keep_up_built(spark, table, lake.pipeline, moment(third) + lake.pipeline.label.max_late, [])
    assert files_by_span(lake) == {first: 1, second: 1, third: 1}
    assert lake.rows("rows") == built

    keep_up_built(spark, table, lake.pipeline, moment(third) + lake.pipeline.lake.retention, [])
    assert files_by_span(lake) == {second: 1, third: 1}, "the second span ends now"
    assert lake.rows("rows") == built[2:]
    before = lake.version("rows")
    keep_up_built(spark, table, lake.pipeline, moment(third) + lake.pipeline.lake.retention, [])
    assert lake.version("rows") == before


def asked_then(number: int, due_s: int) -> Record:
    """A question that is due half a minute into a bucket, and was asked a minute before it."""
    asked_s = due_s - 60
    return replace(question(number, due_s + 30, at=text(asked_s)), append_s=asked_s)


def files_by_span(lake: Lake) -> Counter[int]:
    adds = DeltaTable(lake.url("rows")).get_add_actions(flatten=True)
    return Counter(int(span) for span in adds.column("partition.span").to_pylist())


def data_files(lake: Lake) -> set[Path]:
    """The Parquet files in the folder of `rows`, committed or not."""
    return set(Path(lake.url("rows").removeprefix("file://")).rglob("*.parquet"))


def test_a_changed_program_fills_a_table_of_its_own_from_events_and_leaves_the_old_one(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake")
    lake.commit(random_records(5, 40))
    turn(spark, lake, Far(), at_s=0)
    old, version, rows = lake.url("rows"), lake.version("rows"), lake.rows("rows")
    lake.deploy(("[label]", 'half = "x / 2.0"\n[label]'), ("x * 2.0", "x * 3.0"), ("outcome > 0.5", "outcome < 0.5"))
    assert lake.url("rows") != old
    turn(spark, lake, Far(), at_s=100)
    assert_states(lake, "rows", END_S, positive=lambda outcome: outcome < 0.5)
    built = [row for row in lake.rows("rows") if row["state"] == "row"]
    x = {(row["partition"], row["offset"]): row["f_double_x"] / 2.0 for row in rows if row["state"] == "row"}
    given = [x[row["partition"], row["offset"]] for row in built]
    assert [(row["f_double_x"], row["f_half"]) for row in built] == [(value * 3.0, value / 2.0) for value in given]
    assert {row["label"] for row in built} == {True, False}
    assert (DeltaTable(old).version(), rows_at(old)) == (version, rows)


def test_the_first_record_of_a_question_is_the_same_in_spark_and_in_arrow(spark: SparkSession) -> None:
    """A build marks the first records in Spark, the monitor picks them in Arrow: one rule, two renderings."""
    draw, names = random.Random(3), ("bucket", "id", "model", *ORDER)
    drawn = [
        (draw.choice([0, 60]), draw.choice("xyz"), draw.choice("mn"), moment(draw.randrange(3)), draw.randrange(2),
         draw.randrange(3), draw.choice("ab"))
        for _ in range(200)
    ]  # fmt: skip
    schema = "bucket bigint, id string, model string, append_time timestamp, partition int, offset bigint, topic string"
    marked = build_buckets.with_first(spark.createDataFrame(drawn, schema), ("id", "model"))
    in_spark = marked.where("first").drop("first").toArrow().select(list(names)).to_pylist()
    records = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in drawn])
    in_arrow = first_of_each(records, ("bucket", "id", "model")).to_pylist()
    assert sorted(map(str, in_spark)) == sorted(map(str, in_arrow))
    assert len(in_arrow) == len({row[:3] for row in drawn})
