"""Intervals of realised figures: equal to what scikit-learn says, and holding about as often as they claim."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.measurements import FIGURES
from training.evaluation import confidence_intervals
from training.evaluation.confidence_intervals import Answers, Interval, realised_figures
from training.evaluation.holdout_metrics import Bools, Floats, auc, log_loss

FEW = st.sampled_from([0.0, 1e-200, 0.1, 0.25, 0.5, 0.9, 1.0])


def figures(probability: Floats, label: Bools, decided: Bools, entity: npt.NDArray[np.int64]) -> dict[str, Interval]:
    return realised_figures(*of_classes(probability, label, decided, entity))


def of_classes(
    probability: Floats, label: Bools, decided: Bools, entity: npt.NDArray[np.int64]
) -> tuple[list[Answers], list[Answers]]:
    """The positives, and the negatives."""
    sides = []
    for value in (True, False):
        places = np.flatnonzero(label == value)
        places = places[np.argsort(probability[places], kind="stable")]
        sides.append(Answers(probability[places], decided[places], entity[places].astype(np.uint32)))
    return [sides[0]], [sides[1]]


def in_parts(answers: Answers, parts: int) -> list[Answers]:
    return [answers.at(np.arange(part, len(answers), parts)) for part in range(parts)]


@given(st.lists(st.tuples(FEW, st.booleans(), st.booleans(), st.integers(0, 9)), min_size=2, max_size=60), st.data())
def test_they_are_the_same_whatever_is_worked_out_at_once(
    answers: list[tuple[float, bool, bool, int]], data: st.DataObject
) -> None:
    probability, label, decided, entity = (np.array(column) for column in zip(*answers, strict=True))
    label[0], label[1] = True, False
    sides = [side[0] for side in of_classes(probability, label, decided, entity)]
    whole = realised_figures(*([side] for side in sides))
    split = [in_parts(side, data.draw(st.integers(1, len(side)))) for side in sides]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confidence_intervals, "AT_ONCE", data.draw(st.integers(1, 30)))
        found = realised_figures(*split)
    for name, expected in whole.items():
        assert astuple(found[name]) == pytest.approx(astuple(expected), rel=1e-6, abs=1e-9), name


@given(st.lists(st.tuples(FEW, st.booleans(), st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_the_values_are_those_of_the_definitions(answers: list[tuple[float, bool, bool, int]]) -> None:
    probability, label, decided, entity = (np.array(column) for column in zip(*answers, strict=True))
    label[0], label[1] = True, False
    found = figures(probability, label, decided, entity)
    hits, false = (decided & label).sum(), (decided & ~label).sum()
    missed, right = (~decided & label).sum(), (decided == label).sum()
    assert list(found) == list(FIGURES)
    assert found["auc"].value == pytest.approx(auc(probability, label))
    assert found["log_loss"].value == pytest.approx(log_loss(probability, label))
    assert found["brier"].value == pytest.approx(((probability - label) ** 2).mean())
    assert found["accuracy"].value == pytest.approx(right / len(label))
    assert found["f1"].value == pytest.approx(2 * hits / (2 * hits + false + missed))
    assert found["f2"].value == pytest.approx(5 * hits / (5 * hits + false + 4 * missed))
    promised = np.clip(probability, 1e-15, 1 - 1e-15).sum()
    assert found["calibration"].value == pytest.approx(label.sum() / promised)
    for interval in found.values():
        assert 0 <= interval.low <= interval.value <= interval.high < np.inf
    assert all(found[name].high <= 1 for name in ("auc", "f1", "f2", "accuracy"))


def drawn(random: np.random.Generator, entities: int) -> tuple[Floats, Bools, Bools, npt.NDArray[np.int64]]:
    """Entities with 1 to 8 answers that share a label and much of their score."""
    entity = np.repeat(np.arange(entities), random.integers(1, 9, entities))
    label = (random.random(entities) < 0.3)[entity]
    noise = 0.85 * random.normal(size=entities)[entity] + 0.5 * random.normal(size=len(entity))
    probability = 1 / (1 + np.exp(-(noise + 2.0 * label - 1.5)))
    return probability, label, probability > 0.5, entity


def test_the_intervals_hold_about_as_often_as_they_say_although_answers_come_in_groups() -> None:
    random = np.random.default_rng(1)
    truth = {name: each.value for name, each in figures(*drawn(random, 200_000)).items()}
    samples = [figures(*drawn(random, 300)) for _ in range(400)]
    for name, true in truth.items():
        held = np.mean([sample[name].low <= true <= sample[name].high for sample in samples])
        assert 0.85 <= held <= 0.95, name


def test_answers_as_if_they_were_independent_would_claim_too_much() -> None:
    random = np.random.default_rng(2)
    probability, label, decided, entity = drawn(random, 2000)
    grouped = figures(probability, label, decided, entity)["auc"]
    alone = figures(probability, label, decided, np.arange(len(label)))["auc"]
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_more_entities_are_more_certain() -> None:
    random = np.random.default_rng(3)
    few, many = (figures(*drawn(random, count))["auc"] for count in (100, 10_000))
    assert (many.high - many.low) < (few.high - few.low) / 5


def test_a_sample_without_an_error_does_not_claim_that_there_is_none() -> None:
    label = np.arange(60) < 30
    perfect = figures(label.astype(float), label, label, np.arange(60))
    for name in ("auc", "f1", "f2", "accuracy"):
        assert perfect[name].value == perfect[name].high == 1
        assert 0.88 < perfect[name].low < 0.97
    assert perfect["brier"].value == 0 < perfect["brier"].high
