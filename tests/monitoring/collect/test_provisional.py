"""Provisional outcomes: the label that counts, the first prediction, and nothing that was known when asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf, nan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from benchmarks.small_pipeline import PIPELINE
from contract.layout import Places
from contract.records import TIMESTAMP
from monitoring.collect.outcomes import Outcomes
from monitoring.collect.provisional import NewestAnswers, ProvisionalReader
from streaming.pipeline_file.load import load

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BUCKET_S = 60
LABEL = pa.struct([("order", pa.string()), ("late", pa.bool_())])
Found = dict[str, tuple[list[float], list[float]]]
"""Model -> the probabilities of its positives and of its negatives."""


def prediction(minute: float, **changed: Any) -> dict[str, Any]:
    usual = {
        "id": "q1",
        "key": "k",
        "model": "m1",
        "due": NOON,
        "probability": 0.5,
        "decision": "positive",
        "hypothetical": False,
    }
    appended = {"append_time": NOON + timedelta(minutes=minute), "partition": 0, "offset": round(minute * 1000)}
    return usual | appended | changed


def label(minute: float, late: bool | None, key: str = "k", offset: int = 0) -> dict[str, Any]:
    """Its value is `late`."""
    appended = {"append_time": NOON + timedelta(minutes=minute), "partition": 0, "offset": offset}
    return {"key": key, "late": late} | appended


@pytest.fixture
def reader(tmp_path: Path) -> ProvisionalReader:
    """Of the benchmarks' pipeline: buckets of a minute, labels that come two minutes late at most."""
    (tmp_path / "pipeline.toml").write_text(PIPELINE)
    return ProvisionalReader(Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"}), load(tmp_path / "pipeline.toml"))


def found(reader: ProvisionalReader, predictions: Sequence[dict[str, Any]], labels: Sequence[dict[str, Any]]) -> Found:
    write(reader.places, predictions, labels)
    return by_model(look(reader))


def look(reader: ProvisionalReader) -> Outcomes:
    reader._next_look_s = 0
    return reader.read(NOON.timestamp() - 3600)


def by_model(outcomes: Outcomes) -> Found:
    return {
        model: (
            sorted(p for _, each in scores for p in each.positives.probability.tolist()),
            sorted(p for _, each in scores for p in each.negatives.probability.tolist()),
        )
        for model, scores in outcomes.by_model().items()
    }


def write(places: Places, predictions: Sequence[dict[str, Any]], labels: Sequence[dict[str, Any]]) -> None:
    asked = [row | {"bucket": int((row["due"] or NOON).timestamp()) // BUCKET_S * BUCKET_S} for row in predictions]
    schema = pa.schema([
        ("id", pa.string()), ("key", pa.string()), ("model", pa.string()), ("due", TIMESTAMP),
        ("probability", pa.float64()), ("append_time", TIMESTAMP), ("partition", pa.int32()), ("offset", pa.int64()),
        ("hypothetical", pa.bool_()), ("bucket", pa.int64()), ("decision", pa.string()),
    ])  # fmt: skip
    url = places.table("benchmark", "predictions")
    write_deltalake(url, pa.Table.from_pylist(asked, schema), mode="append", partition_by=["bucket"])
    came = [
        row | {"label": {"order": "o", "late": row["late"]}, "append_hour": _hour_s(row["append_time"])}
        for row in labels
    ]
    schema = pa.schema([
        ("key", pa.string()), ("append_time", TIMESTAMP), ("partition", pa.int32()), ("offset", pa.int64()),
        ("label", LABEL), ("append_hour", pa.int64()),
    ])  # fmt: skip
    url = places.table("benchmark", "labels")
    write_deltalake(url, pa.Table.from_pylist(came, schema), mode="append", partition_by=["append_hour"])


def _hour_s(moment: datetime) -> int:
    return int(moment.timestamp()) // 3600 * 3600


def test_without_tables_there_are_none(reader: ProvisionalReader) -> None:
    assert by_model(look(reader)) == {}


def test_the_newest_answers_count_with_labels_or_without(reader: ProvisionalReader) -> None:
    later = {"due": NOON + timedelta(days=3)}
    same = [prediction(-n / 6, id=f"q{n}", probability=0.5, **later) for n in range(200)]
    older = [prediction(-60 - n / 60, id=f"r{n}", probability=n / 100, **later) for n in range(80)]
    other = [prediction(-n, id=f"o{n}", model="m2", probability=n / 10, **later) for n in range(3)]
    write(reader.places, [*same, *older, *other], [])
    assert by_model(look(reader)) == {}, "no label has come"
    assert reader.newest == {"m1": NewestAnswers(100, 1), "m2": NewestAnswers(3, 3)}


def test_the_newest_answers_are_those_of_a_minute_where_there_are_many(reader: ProvisionalReader) -> None:
    write(reader.places, [prediction(-n / 400, id=f"q{n}", probability=n / 1000) for n in range(500)], [])
    write(reader.places, [prediction(-2, id="old", probability=1.0)], [])
    look(reader)
    assert reader.newest == {"m1": NewestAnswers(400, 400)}


def test_the_last_label_that_is_not_null_counts(reader: ProvisionalReader) -> None:
    labels = [label(-3, True, offset=3), label(-5, False, offset=1), label(-2, None, offset=5)]
    assert found(reader, [prediction(-9)], labels) == {"m1": ([0.5], [])}


def test_of_labels_of_one_moment_the_last_in_its_partition_counts(reader: ProvisionalReader) -> None:
    assert found(reader, [prediction(-9)], [label(-1, True, offset=2), label(-1, False, offset=1)]) == {
        "m1": ([0.5], [])
    }


def test_a_label_that_comes_too_late_for_its_bucket_does_not_count(reader: ProvisionalReader) -> None:
    assert found(reader, [prediction(-9)], [label(2.9, False), label(3.1, True, offset=1)]) == {"m1": ([], [0.5])}


def test_a_prediction_that_is_never_due_is_no_outcome(reader: ProvisionalReader) -> None:
    assert found(reader, [prediction(-9, due=None)], [label(-2, True)]) == {}


def test_the_first_prediction_per_id_and_model_counts(reader: ProvisionalReader) -> None:
    asked = [prediction(-7, probability=0.2), prediction(-8, probability=0.1), prediction(-6, model="m2")]
    assert found(reader, asked, [label(-1, True)]) == {"m1": ([0.1], []), "m2": ([0.5], [])}


def test_what_was_known_when_asked_is_no_outcome(reader: ProvisionalReader) -> None:
    assert found(reader, [prediction(-2)], [label(-2, True), label(-1, True, offset=1)]) == {}


def test_hypothetical_questions_are_no_outcomes(reader: ProvisionalReader) -> None:
    assert found(reader, [prediction(-9, hypothetical=True)], [label(-2, True)]) == {}


@pytest.mark.parametrize("impossible", [None, nan, inf, -5e300, 1.0000001])
def test_a_probability_that_cannot_be_is_no_outcome(reader: ProvisionalReader, impossible: float | None) -> None:
    assert found(reader, [prediction(-9, probability=impossible)], [label(-2, True)]) == {}


def test_a_prediction_without_a_label_waits_until_it_comes(reader: ProvisionalReader) -> None:
    assert found(reader, [prediction(-9)], [label(-2, True, key="other")]) == {}
    assert found(reader, [prediction(-9, id="q2", key="k2", probability=0.7)], [label(-1, False)]) == {
        "m1": ([], [0.5])
    }
    assert found(reader, [], [label(-1, True, key="k2")]) == {"m1": ([0.7], [0.5])}


@pytest.mark.parametrize("at_once", [50_000, 40])
def test_the_figures_are_those_of_the_straightforward_join(
    reader: ProvisionalReader, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("monitoring.collect.provisional.AT_ONCE", at_once)
    numbers = random.Random(7)
    asked = [
        prediction(
            -numbers.randrange(1, 40),
            id=f"q{numbers.randrange(30)}",
            key=f"k{numbers.randrange(12)}",
            model=f"m{numbers.randrange(3)}",
            probability=n / 1000,
            offset=n,
        )
        for n in range(300)
    ]
    for row in asked:
        row["key"] = f"k{int(row['id'][1:]) % 12}"
    late = [numbers.choice([True, False, None]) for _ in range(40)]
    came = [label(numbers.randrange(-38, 6), late[n], key=f"k{n % 14}", offset=n) for n in range(40)]
    assert found(reader, asked, came) == plain(asked, came)


def plain(asked: Sequence[dict[str, Any]], came: Sequence[dict[str, Any]]) -> Found:
    """By the words of the design, one prediction after the other."""
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(asked, key=lambda row: (row["append_time"], row["partition"], row["offset"])):
        first.setdefault((row["id"], row["model"]), row)
    until = NOON + timedelta(seconds=BUCKET_S, minutes=2)
    result: Found = {}
    for row in first.values():
        labels = [each for each in came if each["key"] == row["key"] and each["late"] is not None]
        in_time = [each for each in labels if each["append_time"] < until]
        if in_time and not any(each["append_time"] <= row["append_time"] for each in labels):
            last = max(in_time, key=lambda each: (each["append_time"], each["partition"], each["offset"]))
            result.setdefault(row["model"], ([], []))[0 if last["late"] else 1].append(row["probability"])
    return {model: (sorted(yes), sorted(no)) for model, (yes, no) in sorted(result.items())}
