"""Realised figures: only where there are enough of both classes, over a span that grows until there are."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.judge import model_health
from monitoring.judge.model_health import Realised, by_minute, by_model, by_slice
from tests.monitoring.plain_outcomes import Outcome, collected, plain_by_minute, plain_by_model


def outcomes(count: int, positives: int, minute: int = 0, model: str = "m1", right: bool = True) -> list[Outcome]:
    labels = [n < positives for n in range(count)]
    return [
        Outcome(model, minute * 60 + n % 60, 0.9 if label == right else 0.1, label) for n, label in enumerate(labels)
    ]


def with_slices(given: Sequence[Outcome], **levels: str) -> list[Outcome]:
    return [each._replace(slices=json.dumps(levels)) for each in given]


def test_no_figure_below_thirty_positives() -> None:
    assert by_minute(collected(outcomes(200, positives=29))) == []
    assert by_model(collected(outcomes(200, positives=29))) == {"m1": None}


def test_no_figure_below_thirty_negatives() -> None:
    assert by_minute(collected(outcomes(59, positives=30))) == []


def test_a_figure_from_thirty_of_each() -> None:
    (found,) = by_minute(collected(outcomes(60, positives=30)))
    assert (found.auc, found.outcomes, found.positives, found.span_s) == (1.0, 60, 30, 60)


def test_the_span_grows_by_whole_minutes_until_it_has_enough() -> None:
    found = by_minute(collected(o for minute in range(4) for o in outcomes(40, positives=10, minute=minute)))
    assert [(f.minute_s, f.span_s, f.outcomes) for f in found] == [(120, 180, 120), (180, 180, 120)]


def test_old_outcomes_do_not_reach_into_a_figure_that_has_enough() -> None:
    found = by_minute(collected(outcomes(80, positives=40, right=False) + outcomes(80, positives=40, minute=1)))
    assert [f.auc for f in found] == [0.0, 1.0]


def test_a_minute_counts_with_all_its_outcomes_and_names_its_newest_model() -> None:
    (found,) = by_minute(collected(outcomes(80, positives=40) + outcomes(80, positives=40, model="m2")))
    assert (found.outcomes, found.positives, found.newest_model) == (160, 80, "m2")
    (alone,) = by_minute(collected(outcomes(100, positives=40)))
    assert (alone.outcomes, alone.positives) == (100, 40)


def test_models_are_told_apart() -> None:
    found = by_model(collected(outcomes(80, positives=40) + outcomes(80, positives=40, model="m2", right=False)))
    assert {model: figures.auc for model, figures in found.items() if figures} == {"m1": 1.0, "m2": 0.0}


def test_the_order_of_arrival_does_not_matter() -> None:
    ordered = [o for minute in range(5) for o in outcomes(30, positives=11, minute=minute)]
    shuffled = random.Random(1).sample(ordered, len(ordered))
    _assert_equal(by_minute(collected(shuffled, parts=3)), by_minute(collected(ordered)))
    assert by_minute(collected(ordered))[-1].log_loss == pytest.approx(0.10536, abs=1e-4)


def test_the_answers_of_one_entity_count_once_towards_the_minimum() -> None:
    of_one = [each._replace(key="one") for each in outcomes(60, positives=30) if each.label]
    assert by_minute(collected(of_one + outcomes(200, positives=28))) == []
    (found,) = by_minute(collected([*of_one, *outcomes(200, positives=29)]), minimum=25)
    assert found.positives == 59


def test_intervals_of_what_has_not_changed_are_not_worked_out_again() -> None:
    first = [o for minute in range(3) for o in outcomes(80, positives=40, minute=minute)]
    known = by_minute(collected(first))
    again = by_minute(collected(first + outcomes(80, positives=40, minute=3)), known=known)
    assert [one is other for one, other in zip(known, again, strict=False)] == [True, True, True]
    reopened = by_minute(collected(first + outcomes(3, positives=1, minute=1)), known=known)
    assert [one is other for one, other in zip(known, reopened, strict=True)] == [True, False, True]
    models = by_model(collected(first))
    assert by_model(collected(first), known=models)["m1"] is models["m1"]


def test_each_level_of_each_slice_has_its_figures() -> None:
    good = with_slices(outcomes(80, positives=40), origin="JFK", carrier="AA")
    bad = with_slices(outcomes(80, positives=40, minute=1, right=False), origin="EWR", carrier="AA")
    few = with_slices(outcomes(80, positives=29), origin="LGA")
    found = {(each.slice, each.level): each.realised for each in by_slice(collected(good + bad + few, parts=2))}
    assert {key: realised.auc for key, realised in found.items()} == {
        ("carrier", "AA"): 0.5,
        ("origin", "EWR"): 0.0,
        ("origin", "JFK"): 1.0,
    }
    assert found["carrier", "AA"].outcomes == 160
    assert found["origin", "EWR"].minute_s == 60
    assert found["origin", "JFK"].figures["auc"].low < 1


def test_outcomes_of_an_earlier_version_have_no_slices() -> None:
    assert by_slice(collected(outcomes(80, positives=40))) == []


def test_only_the_largest_levels_of_a_slice_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_health, "MOST_LEVELS", 2)
    sizes = {"a": 70, "b": 90, "c": 80}
    given = [o for level, size in sizes.items() for o in with_slices(outcomes(size, positives=30), host=level)]
    assert [each.level for each in by_slice(collected(given))] == ["b", "c"]


some_outcomes = st.lists(
    st.builds(
        Outcome,
        model=st.sampled_from(["m1", "m2", "m3"]),
        due_s=st.integers(0, 600).map(lambda seconds: seconds * 1.5),
        probability=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1),
        label=st.booleans(),
        key=st.sampled_from(["", "", "k1", "k2", "k3"]),
        decided=st.booleans(),
        slices=st.none(),
    ),
    max_size=80,
)


@given(some_outcomes, st.integers(1, 8), st.integers(1, 4))
def test_the_figures_are_those_of_the_straightforward_computation(
    plain: list[Outcome], minimum: int, parts: int
) -> None:
    seen = collected(plain, parts)
    _assert_equal(by_minute(seen, minimum), plain_by_minute(plain, minimum))
    found, expected = by_model(seen, minimum), plain_by_model(plain, minimum)
    assert list(found) == list(expected)
    _assert_equal(list(found.values()), list(expected.values()))


def _assert_equal(found: Sequence[Realised | None], expected: Sequence[Realised | None]) -> None:
    """To the last bit, but for the log loss: a sum of logarithms depends on its order in the last ones."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        if one is None or other is None:
            assert one is other
            continue
        assert one.log_loss == pytest.approx(other.log_loss, rel=1e-12)
        assert replace(one, log_loss=0, figures={}) == replace(other, log_loss=0, figures={})
        assert one.figures["auc"].value == pytest.approx(one.auc, rel=1e-12)
        assert one.figures["log_loss"].value == pytest.approx(one.log_loss, rel=1e-12)
