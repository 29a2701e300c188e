"""Realised figures: only where there are enough of both classes, over a span that grows until there are."""

from __future__ import annotations

import random

import pytest

from monitoring.collect.outcomes import Outcome
from monitoring.judge.model_health import by_minute, by_model


def outcomes(count: int, positives: int, minute: int = 0, model: str = "m1", right: bool = True) -> list[Outcome]:
    labels = [n < positives for n in range(count)]
    return [
        Outcome(model, minute * 60 + n % 60, 0.9 if label == right else 0.1, label) for n, label in enumerate(labels)
    ]


def test_no_figure_below_thirty_positives() -> None:
    assert by_minute(outcomes(200, positives=29)) == []
    assert by_model(outcomes(200, positives=29)) == {"m1": None}


def test_no_figure_below_thirty_negatives() -> None:
    assert by_minute(outcomes(59, positives=30)) == []


def test_a_figure_from_thirty_of_each() -> None:
    (found,) = by_minute(outcomes(60, positives=30))
    assert (found.auc, found.outcomes, found.positives, found.span_s) == (1.0, 60, 30, 60)


def test_the_span_grows_by_whole_minutes_until_it_has_enough() -> None:
    found = by_minute([o for minute in range(4) for o in outcomes(40, positives=10, minute=minute)])
    assert [(f.minute_s, f.span_s, f.outcomes) for f in found] == [(120, 180, 120), (180, 180, 120)]


def test_old_outcomes_do_not_reach_into_a_figure_that_has_enough() -> None:
    found = by_minute(outcomes(80, positives=40, right=False) + outcomes(80, positives=40, minute=1))
    assert [f.auc for f in found] == [0.0, 1.0]


def test_a_minute_counts_with_all_its_outcomes_and_names_its_newest_model() -> None:
    (found,) = by_minute(outcomes(80, positives=40) + outcomes(80, positives=40, model="m2"))
    assert (found.outcomes, found.positives, found.newest_model) == (160, 80, "m2")
    (alone,) = by_minute(outcomes(100, positives=40))
    assert (alone.outcomes, alone.positives) == (100, 40)


def test_models_are_told_apart() -> None:
    found = by_model(outcomes(80, positives=40) + outcomes(80, positives=40, model="m2", right=False))
    assert {model: figures.auc for model, figures in found.items() if figures} == {"m1": 1.0, "m2": 0.0}


def test_the_order_of_arrival_does_not_matter() -> None:
    given = [o for minute in range(5) for o in outcomes(30, positives=11, minute=minute)]
    shuffled = random.Random(1).sample(given, len(given))
    assert by_minute(shuffled) == by_minute(given)
    assert by_minute(given)[-1].log_loss == pytest.approx(0.10536, abs=1e-4)
