"""Which partitions upkeep rewrites: closed ones of several files, and those whose raw bytes are due to go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contract.records import OUTSIDE
from streaming.lake.hot_upkeep import Partition, compactable, raw_expired
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)
NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


def ago(age: timedelta) -> int:
    """The bucket of that long ago."""
    length = int(PIPELINE.lake.buckets.total_seconds())
    return int((NOW - age).timestamp()) // length * length


def starts(*partitions: Partition, stripped_to: int = OUTSIDE) -> list[int]:
    return compactable(partitions, "events", PIPELINE, NOW, stripped_to)


def test_a_closed_bucket_of_several_files_is_rewritten_and_an_open_one_is_not() -> None:
    closed, still_open = ago(timedelta(minutes=5)), ago(timedelta(0))
    assert starts(Partition(closed, 3), Partition(still_open, 3)) == [closed]
    assert starts(Partition(closed, 2)) == [closed]
    assert starts(Partition(closed, 1)) == []


def test_a_partition_is_closed_only_once_hardly_anything_more_is_expected_in_it() -> None:
    late = replace(PIPELINE, label=replace(PIPELINE.label, max_late=timedelta(minutes=5)))
    bucket = ago(timedelta(minutes=5))
    assert compactable([Partition(bucket, 2)], "events", late, NOW, OUTSIDE) == []
    assert compactable([Partition(bucket, 2)], "events", late, NOW + timedelta(minutes=1), OUTSIDE) == [bucket]
    hour = int(NOW.timestamp()) // 3600 * 3600 - 3600
    assert compactable([Partition(hour, 2)], "labels", PIPELINE, NOW, OUTSIDE) == []
    assert compactable([Partition(hour, 2)], "labels", PIPELINE, NOW + timedelta(minutes=5), OUTSIDE) == [hour]


def test_quarantined_questions_stay_where_they_are() -> None:
    assert starts(Partition(OUTSIDE, 9)) == []


def test_raw_bytes_go_once_they_are_past_their_retention() -> None:
    bucket = ago(PIPELINE.lake.raw_retention + timedelta(minutes=2))
    assert raw_expired(bucket, "events", PIPELINE, NOW)
    assert starts(Partition(bucket, 1)) == [bucket]
    assert starts(Partition(bucket, 1), stripped_to=bucket) == []


def test_raw_bytes_stay_until_the_last_question_of_their_bucket_is_past_their_retention() -> None:
    bucket = ago(PIPELINE.lake.raw_retention)
    assert not raw_expired(bucket, "events", PIPELINE, NOW)
    assert raw_expired(bucket, "events", PIPELINE, NOW + timedelta(minutes=1))


def test_facts_and_dead_letters_keep_their_bytes_as_long_as_their_records() -> None:
    hour = int((NOW - timedelta(days=2)).timestamp())
    assert not raw_expired(hour, "facts", PIPELINE, NOW)
    assert not raw_expired(hour, "dead_letters", PIPELINE, NOW)
