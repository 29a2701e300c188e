"""Provisional outcomes: the label that counts, the first prediction, and nothing that was known when asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.collect.provisional import join, labels_of

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def prediction(minute: float, **changed: Any) -> dict[str, Any]:
    usual = {"id": "q1", "key": "k", "model": "m1", "due": NOON, "probability": 0.5, "hypothetical": False}
    return usual | {"append_time": NOON + timedelta(minutes=minute)} | changed


def label(minute: float, key: str = "k", offset: int = 0) -> dict[str, Any]:
    return {"key": key, "append_time": NOON + timedelta(minutes=minute), "partition": 0, "offset": offset}


def test_the_last_label_that_is_not_null_counts() -> None:
    found = labels_of([label(3, offset=3), label(1, offset=1), label(5, offset=5)], [True, False, None])
    assert (found["k"].value, found["k"].first) == (True, NOON + timedelta(minutes=1))


def test_of_labels_of_one_moment_the_last_in_its_partition_counts() -> None:
    for order in ((1, 2), (2, 1)):
        found = labels_of([label(1, offset=offset) for offset in order], [offset == 2 for offset in order])
        assert found["k"].value is True


def test_a_prediction_that_is_never_due_is_no_outcome() -> None:
    assert join([prediction(1, due=None)], labels_of([label(2)], [True])) == []


def test_the_first_prediction_per_id_and_model_counts() -> None:
    labels = labels_of([label(9)], [True])
    asked = [prediction(2, probability=0.2), prediction(1, probability=0.1), prediction(3, model="m2")]
    assert [(o["model"], o["probability"]) for o in join(asked, labels)] == [("m1", 0.1), ("m2", 0.5)]


def test_what_was_known_when_asked_is_no_outcome() -> None:
    assert join([prediction(2)], labels_of([label(2)], [True])) == []


def test_hypothetical_questions_are_no_outcomes() -> None:
    assert join([prediction(1, hypothetical=True)], labels_of([label(2)], [True])) == []


def test_a_prediction_without_a_label_waits() -> None:
    assert join([prediction(1)], labels_of([label(2, key="other")], [True])) == []
