"""The rows job over real Spark and Delta: whatever the order of arrival, what one plain batch would make of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from streaming.counts import outcome_counts, question_count, state_counts
from streaming.rows_job import Built, run_once
from tests.integration.rows_world import (
    END_S,
    MINUTE_S,
    START_S,
    Far,
    Lake,
    Record,
    State,
    plain_batch,
    random_records,
    text,
)
from tests.integration.spark import spark

__all__ = ["spark"]

TOPIC_OF = {"rows": "asked", "outcomes": "world.predictions"}


def turn(spark: SparkSession, lake: Lake, far: Far, at_s: float) -> Built:
    return run_once(spark, lake.places, lake.pipeline, lake.compiled, far, lambda: at_s)


def assert_as_plain_batch(lake: Lake, closed_to_s: float, missing: bool | None = None) -> None:
    """Rows, outcomes and counts are those of a plain batch over all that was committed."""
    for table, counts in (("rows", state_counts), ("outcomes", outcome_counts)):
        wanted = plain_batch(lake.committed, TOPIC_OF[table], missing, closed_to_s)
        built = lake.rows(table)
        found = {_place(row): State(row["state"], row["label"], _seconds(row["label_append_time"])) for row in built}
        assert found == {p: s for p, s in wanted.items() if s.state not in ("waiting", "quarantined")}
        assert len(found) == len(built), "a record was built twice"
        states = [state.state for state in wanted.values()]
        assert counts(lake.places, lake.pipeline) == {s: states.count(s) for s in counts(lake.places, lake.pipeline)}
    assert question_count(lake.places, lake.pipeline) == sum(state_counts(lake.places, lake.pipeline).values())


def _place(row: dict[str, object]) -> tuple[float, object, object]:
    return (_seconds(row["append_time"]) or 0.0, row["partition"], row["offset"])


def _seconds(stamp: object) -> float | None:
    return None if stamp is None else round(stamp.timestamp(), 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("seed", "missing"), [(1, None), (2, False)])
def test_any_order_of_arrival_gives_at_every_turn_what_one_plain_batch_gives(
    spark: SparkSession, tmp_path: Path, seed: int, missing: bool | None
) -> None:
    lake = Lake(tmp_path / "lake", "" if missing is None else f"missing = {str(missing).lower()}")
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


def question(number: int, due_s: float, **more: object) -> Record:
    value = {"id": f"q{number}", "entity": "e", "at": text(START_S), "due_at": text(due_s), "x": 1.5, **more}
    return Record("asked", 0, number, START_S + number / 1000, value)


def prediction(number: int, due_s: float) -> Record:
    value = {"prediction_id": f"p{number}", "id": f"q{number}", "key": '["e"]', "as_of": text(START_S)}
    value |= {"due": text(due_s), "answered": text(START_S), "model": "m", "probability": 0.25, "features": {}}
    return Record("world.predictions", 0, number, START_S + number / 1000, value | {"event": {}})


def label(offset: int, append_s: float, outcome: float | None = 1.0, entity: str = "e") -> Record:
    return Record("happened", 1, offset, append_s, {"entity": entity, "outcome": outcome})


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
    assert (reopened.closing, reopened.reopening) == (frozenset(), {START_S})
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
