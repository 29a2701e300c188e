"""Too many records of which nothing can be made are told, with their topic, their share and the likely cause."""

from __future__ import annotations

import pytest

from contract import metrics
from contract.records import DEAD_LETTER_REASONS, QUARANTINE_REASONS
from monitoring.judge.bad_records import LIKELY, LIKELY_QUARANTINED
from tests.monitoring.judge.looks import OWN, PIPELINE, Looks

ASKED, LABELS = PIPELINE.events.topic, PIPELINE.label.topic


def stream(events: float, dead: float, quarantined: float = 0) -> Looks:
    """A job that has just started, and has committed so many records."""
    looks = Looks()
    looks.start("streaming")
    looks.set(metrics.STREAM_RECORDS, events, table="events", **OWN)
    looks.set(metrics.DEAD_LETTERS, dead, topic=ASKED, reason="wrong_type", **OWN)
    looks.set(metrics.QUARANTINED_QUESTIONS, quarantined, reason="as_of_in_1970", **OWN)
    return looks


@pytest.mark.parametrize(
    ("decoded", "dead", "is_told"), [(99, 0, False), (90, 9, False), (98, 2, True), (99, 1, False), (100, 1, False)]
)
def test_more_than_one_percent_of_at_least_a_hundred_records(decoded: int, dead: int, is_told: bool) -> None:
    assert bool(stream(decoded, dead).problems("events")) is is_told


def test_the_topic_the_share_and_the_most_frequent_reason_are_named() -> None:
    looks = stream(900, 60)
    looks.set(metrics.DEAD_LETTERS, 40, topic=ASKED, reason="missing", **OWN)
    looks.set(metrics.STREAM_RECORDS, 5000, table="labels", **OWN)
    looks.set(metrics.DEAD_LETTERS, 10, topic=LABELS, reason="not_json", **OWN)
    (text,) = looks.texts("events")
    assert text == (
        f"10% of the last 1,000 records of {ASKED} could not be decoded (dead letters), most often for the reason "
        "wrong_type: a field has another type than the pipeline file declares"
    )


def test_what_was_ten_minutes_ago_counts_no_more() -> None:
    looks = stream(100, 50)
    assert looks.problems("events")
    assert looks.problems("events", pass_s=620) == []


def test_every_reason_has_a_likely_cause() -> None:
    assert set(LIKELY) == set(DEAD_LETTER_REASONS)
    assert set(LIKELY_QUARANTINED) == set(QUARANTINE_REASONS)


def test_five_percent_quarantined() -> None:
    assert stream(1000, 0, quarantined=50).problems("events") == []
    (text,) = stream(1000, 0, quarantined=51).texts("events")
    assert text == (
        f"5% of the last 1,000 questions of {ASKED} are quarantined, most often for the reason as_of_in_1970: the "
        "producer sends seconds since 1970 where milliseconds are meant, so every event is in 1970"
    )
