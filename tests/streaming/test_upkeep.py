"""Which partitions upkeep rewrites: closed ones of several files, and those whose raw bytes are due to go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from streaming.load import load
from streaming.records import OUTSIDE
from streaming.upkeep import Partition, outworn, raw_expired
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)
NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


def ago(age: timedelta) -> int:
    """The bucket of that long ago."""
    return PIPELINE.bucket_of(NOW - age)


def worn(*partitions: Partition, stripped_to: int = OUTSIDE) -> list[int]:
    return outworn(partitions, "events", PIPELINE, NOW, stripped_to)


def test_a_closed_bucket_of_several_files_is_rewritten_and_an_open_one_is_not() -> None:
    closed, still_open = ago(timedelta(minutes=5)), ago(timedelta(0))
    assert worn(Partition(closed, 3), Partition(still_open, 3)) == [closed]
    assert worn(Partition(closed, 1)) == []


def test_quarantined_questions_stay_where_they_are() -> None:
    assert worn(Partition(OUTSIDE, 9)) == []


def test_raw_bytes_go_once_they_are_past_their_retention() -> None:
    bucket = ago(PIPELINE.lake.raw_retention + timedelta(minutes=2))
    assert raw_expired(bucket, "events", PIPELINE, NOW)
    assert worn(Partition(bucket, 1)) == [bucket]
    assert worn(Partition(bucket, 1), stripped_to=bucket) == []


def test_facts_and_dead_letters_keep_their_bytes_as_long_as_their_records() -> None:
    hour = int((NOW - timedelta(days=2)).timestamp())
    assert not raw_expired(hour, "facts", PIPELINE, NOW)
    assert not raw_expired(hour, "dead_letters", PIPELINE, NOW)
