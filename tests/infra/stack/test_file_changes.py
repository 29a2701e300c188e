"""What a changed pipeline file may do, and what it is told before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.pipeline import Field, Pipeline, Type
from infra.stack.file_changes import Changes, changes
from streaming.pipeline_file.load import load

FLIGHTS = load(Path(__file__).parents[3] / "examples" / "flights" / "pipeline.toml")
NOTHING = Changes((), ())


def with_events(**changed: object) -> Pipeline:
    return replace(FLIGHTS, events=replace(FLIGHTS.events, **changed))  # type: ignore[arg-type]


def with_label(**changed: object) -> Pipeline:
    return replace(FLIGHTS, label=replace(FLIGHTS.label, **changed))  # type: ignore[arg-type]


def with_lake(**changed: object) -> Pipeline:
    return replace(FLIGHTS, lake=replace(FLIGHTS.lake, **changed))  # type: ignore[arg-type]


def test_the_same_file_changes_nothing() -> None:
    assert changes(FLIGHTS, FLIGHTS) == NOTHING


@pytest.mark.parametrize(
    "new",
    [
        replace(FLIGHTS, features={**FLIGHTS.features, "more": "1 + 1"}),
        replace(FLIGHTS, features=dict(reversed(list(FLIGHTS.features.items())))),
        with_label(value="NOT (" + FLIGHTS.label.value + ")"),
    ],
    ids=["a feature", "their order", "the label's value"],
)
def test_features_and_the_labels_value_make_a_new_table_of_rows(new: Pipeline) -> None:
    found = changes(FLIGHTS, new)
    assert len(found.effects) == 1
    assert "a new table of rows" in found.effects[0]
    assert not found.refused


def test_a_new_field_is_a_nullable_column() -> None:
    new = with_events(fields=(*FLIGHTS.events.fields, Field("gate", Type.STRING)))
    assert changes(FLIGHTS, new).effects == ("[events] field gate is new: a column, NULL in what is stored already",)


@pytest.mark.parametrize(
    ("new", "place"),
    [
        (with_events(topic="other"), "[events] topic"),
        (with_events(id="other"), "[events] id"),
        (with_events(key=("flight",)), "[events] key"),
        (with_events(fields=FLIGHTS.events.fields[1:]), "[events] field"),
        (
            with_events(fields=(*FLIGHTS.events.fields, Field("gate", Type.STRING, required=True))),
            "[events] field gate",
        ),
        (
            with_events(fields=(replace(FLIGHTS.events.fields[0], type=Type.INT), *FLIGHTS.events.fields[1:])),
            f"[events] field {FLIGHTS.events.fields[0].name}",
        ),
        (
            with_label(fields=(*FLIGHTS.label.fields[:-1], replace(FLIGHTS.label.fields[-1], sensitive=True))),
            f"[label] field {FLIGHTS.label.fields[-1].name}",
        ),
        (with_label(wait=timedelta(minutes=1)), "[label] wait"),
        (with_label(max_wait=timedelta(minutes=1)), "[label] max_wait"),
        (with_label(missing=True), "[label] missing"),
        (replace(FLIGHTS, clock=replace(FLIGHTS.clock, imports=not FLIGHTS.clock.imports)), "[clock] imports"),
        (with_lake(buckets=timedelta(minutes=7)), "[lake] buckets"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_change_the_meaning_of_stored_events_is_refused_with_the_remedy(new: Pipeline, place: str) -> None:
    found = changes(FLIGHTS, new)
    assert len(found.refused) == 1
    assert found.refused[0].startswith(place)
    assert "hotpath reset" in found.refused[0]


@pytest.mark.parametrize(
    ("new", "section"),
    [
        (replace(FLIGHTS, training=replace(FLIGHTS.training, keep=7)), "[training]"),
        (replace(FLIGHTS, promotion=replace(FLIGHTS.promotion, floors={})), "[promotion]"),
        (replace(FLIGHTS, monitoring=replace(FLIGHTS.monitoring, floors={})), "[monitoring]"),
        (replace(FLIGHTS, examples=()), "[examples]"),
        (replace(FLIGHTS, facts=()), "[facts]"),
        (replace(FLIGHTS, clock=replace(FLIGHTS.clock, tolerance=timedelta(minutes=1))), "[clock]"),
        (with_lake(retention=timedelta(days=99)), "[lake]"),
        (replace(FLIGHTS, serving=replace(FLIGHTS.serving, log_predictions=False)), "[serving]"),
    ],
)
def test_all_other_keys_act_at_once(new: Pipeline, section: str) -> None:
    assert changes(FLIGHTS, new) == Changes((f"{section} changes: acts from now on",), ())
