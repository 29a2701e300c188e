"""A batch hangs when the query is at the same one look after look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streaming.ingest.stalled_batch import StalledBatch


@dataclass
class Seen:
    """What Spark says of a query at one moment."""

    status: dict[str, Any]
    lastProgress: dict[str, Any] | None


def looks(*seen: tuple[bool, int | None]) -> list[float]:
    """What is told at looks ten seconds apart; each says whether a batch runs, and which one ended last."""
    moments = iter(range(0, 10_000, 10))
    now = [0.0]
    stuck, query = StalledBatch(lambda: now[0]), Seen({}, None)
    told = []
    for active, last in seen:
        now[0] = next(moments)
        query.status = {"isTriggerActive": active}
        query.lastProgress = None if last is None else {"batchId": last}
        told.append(stuck.runs_s(query))
    return told


def test_the_same_batch_look_after_look_adds_up() -> None:
    assert looks((True, 7), (True, 7), (True, 7)) == [0, 10, 20]
    assert looks((True, None), (True, None)) == [0, 10], "the first batch of all"


def test_batches_that_follow_each_other_do_not_add_up() -> None:
    assert looks((True, 7), (True, 8), (True, 9)) == [0, 0, 0]


def test_a_pause_begins_anew() -> None:
    assert looks((True, 7), (True, 7), (False, 7), (True, 7), (True, 7)) == [0, 10, 0, 0, 10]


def test_another_query_that_begins_with_the_batch_of_the_one_before_has_not_run_as_long() -> None:
    now = [0.0]
    stuck = StalledBatch(lambda: now[0])
    before, after = (Seen({"isTriggerActive": True}, {"batchId": 7}) for _ in range(2))
    assert stuck.runs_s(before) == 0
    now[0] = 10.0
    assert stuck.runs_s(before) == 10
    assert stuck.runs_s(after) == 0


def test_without_a_query_nothing_hangs() -> None:
    assert StalledBatch().runs_s(None) == 0
