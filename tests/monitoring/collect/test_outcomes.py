"""The reader of outcomes: what is in the table, each of its files read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, nan
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from contract.layout import Places
from contract.records import SPAN_BUCKETS
from monitoring.collect import outcomes as collect_outcomes
from monitoring.collect import table_files
from monitoring.collect.outcomes import Batch, OutcomeReader, Outcomes
from monitoring.judge.model_health import by_model
from streaming.pipeline_file.load import load
from tests.monitoring.plain_outcomes import Outcome, as_batch, collected

PIPELINE = load(Path(__file__).parents[3] / "examples/flights/pipeline.toml")
SPAN_S = SPAN_BUCKETS * int(PIPELINE.lake.buckets.total_seconds())
START_S = 1_795_252_000 // SPAN_S * SPAN_S


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})


def append(places: Places, outcomes: Sequence[Outcome], state: str = "row") -> None:
    batch = as_batch(outcomes)
    spans = [bucket // SPAN_S * SPAN_S for bucket in batch["bucket"].to_pylist()]
    table = pa.table([*batch.columns, spans, [state] * len(spans)], names=[*batch.schema.names, "span", "state"])
    write_deltalake(places.table("flights", "outcomes"), table, mode="append", partition_by=["span", "state"])


def some(count: int, from_s: int = START_S, model: str = "m") -> list[Outcome]:
    return [Outcome(model, from_s + n, n / count, n % 3 == 0) for n in range(count)]


def held(reader: OutcomeReader) -> list[int]:
    """How many outcomes of each batch are kept with their slices, ascending."""
    return sorted(len(batch.sliced.columns) for batch in reader._files.made())


def count(outcomes: Outcomes) -> int:
    return sum(len(scores) for of_minute in outcomes.by_minute().values() for _, scores in of_minute)


def test_without_a_table_there_are_no_outcomes(places: Places) -> None:
    assert count(OutcomeReader(places, PIPELINE).read(START_S)) == 0


def test_rows_of_buckets_since_the_moment_are_outcomes(places: Places) -> None:
    append(places, some(100))
    append(places, some(7), state="known")
    append(places, some(9, from_s=START_S - 3 * SPAN_S))
    append(places, some(11, from_s=START_S - 60))
    assert count(OutcomeReader(places, PIPELINE).read(START_S)) == 100


@pytest.mark.parametrize("impossible", [None, nan, inf, -5e300, 1.0000001])
def test_a_probability_that_cannot_be_spoils_no_figure(places: Places, impossible: float | None) -> None:
    append(places, some(100))
    append(places, [Outcome("m", START_S, impossible, True)])  # type: ignore[arg-type]
    outcomes = OutcomeReader(places, PIPELINE).read(START_S)
    assert count(outcomes) == 100
    assert by_model(outcomes)["m"] == by_model(collected(some(100)))["m"]


def test_a_new_version_costs_its_new_files_only(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = OutcomeReader(places, PIPELINE)
    append(places, some(100))
    first = reader.read(START_S)
    assert reader.read(START_S) is first, "the table has no new version"
    append(places, some(50, model="n"))
    opened: list[str] = []
    read = table_files.TableFiles._read

    def counting(files: table_files.TableFiles[Batch], path: str) -> Iterator[Batch]:
        opened.append(path)
        return read(files, path)

    monkeypatch.setattr(table_files.TableFiles, "_read", counting)
    assert count(reader.read(START_S)) == 150
    assert len(opened) == 1


def test_only_the_newest_outcomes_are_kept_with_their_slices(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_outcomes, "MOST_SLICED", 50)
    reader = OutcomeReader(places, PIPELINE)
    sliced = [each._replace(slices='{"origin": "JFK"}') for each in some(40)]
    append(places, sliced)
    append(places, [each._replace(due_s=each.due_s + 60) for each in sliced])
    append(places, [each._replace(due_s=each.due_s + 120) for each in sliced])
    outcomes = reader.read(START_S)
    assert count(outcomes) == 120
    assert [each.newest_minute - START_S // 60 for each in outcomes.sliced] == [2, 1]
    assert held(reader) == [0, 40, 40]


def test_slices_are_those_of_the_newest_hour(places: Places) -> None:
    reader = OutcomeReader(places, PIPELINE)
    sliced = [each._replace(slices='{"origin": "JFK"}') for each in some(40)]
    hour_s = SPAN_S * (1 + 3600 // SPAN_S)
    append(places, sliced)
    append(places, [each._replace(due_s=each.due_s + hour_s) for each in sliced])
    assert [len(each.columns) for each in reader.read(START_S).sliced] == [40, 40]
    append(places, [each._replace(due_s=each.due_s + 2 * hour_s) for each in sliced])
    assert [len(each.columns) for each in reader.read(START_S).sliced] == [40, 40]
    assert held(reader) == [0, 40, 40]


def test_what_was_replaced_is_forgotten(places: Places) -> None:
    reader = OutcomeReader(places, PIPELINE)
    append(places, some(100))
    reader.read(START_S)
    DeltaTable(places.table("flights", "outcomes")).delete()
    append(places, some(60))
    assert count(reader.read(START_S)) == 60
