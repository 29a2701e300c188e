"""The loop of a pipeline: what fails again and again is told, a loop that ends unasked ends the process.

Spark is missing here, so that every hot query fails: what the loop makes of that needs no engine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from contract.layout import Places
from contract.messages.progress import ProgressUpdate
from contract.pipeline import Pipeline
from streaming import pipeline_worker
from streaming.ingest.record_decoder import tables_by_topic
from streaming.job import Loops, watch_loops
from streaming.lake import hang_watchdog
from streaming.pipeline_file.load import load
from streaming.pipeline_worker import Pace, PipelineLoop
from streaming.progress.watermark import ProgressUpdates
from tests.waiting import until

MINIMAL = load(Path("tests/pipelines/minimal.toml"))
NO_SPARK: Any = None
PACE = Pace(timedelta(seconds=1), timedelta(hours=1), timedelta(seconds=30))


@pytest.fixture
def ended() -> list[str]:
    """Why processes would have ended."""
    return []


@pytest.fixture
def updates() -> ProgressUpdates:
    return ProgressUpdates()


@pytest.fixture
def loops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: list[str], updates: ProgressUpdates
) -> Iterator[Loops]:
    monkeypatch.setattr(pipeline_worker, "TURN_S", 0.01)
    monkeypatch.setattr(pipeline_worker, "AGAIN_S", 0.01)
    places = Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}", "HOTPATH_CLOUD_KAFKA": "127.0.0.1:1"})

    def start(pipeline: Pipeline) -> PipelineLoop:
        loop = PipelineLoop(NO_SPARK, places, pipeline, updates, PACE, ended.append)
        loop.start()
        return loop

    started = Loops(start)
    yield started
    for loop in started():
        loop.end()
        loop.join(30)


def named(name: str, file_hash: str = "a") -> Pipeline:
    return replace(MINIMAL, name=name, file_hash=file_hash)


def failures(name: str, step: str) -> float:
    labels = {"pipeline": name, "step": step}
    return REGISTRY.get_sample_value("hotpath_streaming_failures_in_a_row", labels) or 0


def test_a_hot_query_that_fails_again_and_again_is_told(loops: Loops) -> None:
    loops.serve([named("fails")])
    until(lambda: failures("fails", "hot query") > 2, 30, "failures in a row")
    assert failures("fails", "rows job") == 0


def test_a_query_that_starts_has_not_succeeded_until_it_has_done_something(
    loops: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that ends at its first batch starts well each time: that is no success."""
    answers: Iterator[RuntimeError | bool] = iter(
        [RuntimeError("first"), RuntimeError("second"), False, RuntimeError("third"), True]
    )
    told: list[float] = []

    def keep_query(loop: PipelineLoop) -> bool:
        told.append(failures(loop.name, "hot query"))
        answer = next(answers, True)
        if isinstance(answer, RuntimeError):
            raise answer
        return answer

    monkeypatch.setattr(PipelineLoop, "_keep_query", keep_query)
    monkeypatch.setattr(PipelineLoop, "_build", lambda _: True)
    loops.serve([named("starts")])
    until(lambda: len(told) > 6, 30, "seven turns")
    assert told[:7] == [0, 1, 2, 2, 3, 0, 0]


def test_a_loop_that_ends_unasked_ends_the_process(
    loops: Loops, monkeypatch: pytest.MonkeyPatch, ended: list[str]
) -> None:
    def broken(_: PipelineLoop) -> None:
        raise ZeroDivisionError("outside of every step")

    monkeypatch.setattr(PipelineLoop, "_show_failures", broken)
    loops.serve([named("dies")])
    until(lambda: ended, 30, "the end")
    assert ended == ["the thread dies ended by ZeroDivisionError: outside of every step"]


def test_a_loop_that_is_slow_to_end_holds_up_no_other_pipeline(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on, is_building = threading.Event(), threading.Event()

    def build(loop: PipelineLoop) -> bool:
        if loop.name == "slow":
            is_building.set()
            may_go_on.wait(30)
        return True

    monkeypatch.setattr(PipelineLoop, "_keep_query", lambda _: True)
    monkeypatch.setattr(PipelineLoop, "_build", build)
    loops.serve([named("slow")])
    assert is_building.wait(30)
    (old,) = loops()
    loops.serve([named("slow", "b"), named("other")])
    assert {loop.name: loop.pipeline.file_hash for loop in loops()} == {"slow": "a", "other": "a"}
    may_go_on.set()
    old.join(30)
    loops.serve([named("slow", "b"), named("other")])
    assert {loop.name: loop.pipeline.file_hash for loop in loops()} == {"slow": "b", "other": "a"}


def test_a_build_and_a_turn_of_upkeep_are_expected_back(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[tuple[float | None, str]]] = []

    def look(_: PipelineLoop) -> bool:
        seen.append({(within_s, what) for _, within_s, what in tuple(hang_watchdog._out.values())})
        return True

    for step in ("_keep_query", "_build", "_upkeep"):
        monkeypatch.setattr(PipelineLoop, step, look)
    loops.serve([named("watched")])
    until(lambda: len(seen) >= 3, 30, "a turn")
    for what, calls in zip(("hot query", "rows job", "upkeep"), seen, strict=False):
        assert (PACE.step_s, f"the {what} of watched") in calls


@pytest.fixture
def guarded(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loops]:
    """The loops with their guard."""
    monkeypatch.setattr("streaming.job.LOOK_EVERY_S", 0.01)
    stop = threading.Event()
    guard = threading.Thread(target=watch_loops, args=(loops, PACE, stop))
    guard.start()
    yield loops
    stop.set()
    guard.join(30)


def commit_to(loop: PipelineLoop, updates: ProgressUpdates, moment_s: int) -> None:
    """All that was stamped before a moment is mirrored, and the hot query has committed it: ten records a second."""
    offset, topics = 10 * moment_s, tuple(tables_by_topic(loop.pipeline))
    for topic in topics:
        update = ProgressUpdate(
            topic=topic,
            partition=0,
            caught_up_to_ms=1000 * moment_s,
            cloud_offset=offset,
            onprem_offset=offset,
            mirrored_offset=offset,
            import_open=False,
            at_ms=round(time.time() * 1000),
        )
        updates.add((topic, 0), update)
    loop._progress.commit({(topic, 0): offset for topic in topics})


def is_shown(name: str, moment_s: int) -> bool:
    metrics = ("hotpath_streaming_caught_up_to_seconds", "hotpath_streaming_behind_records")
    return [REGISTRY.get_sample_value(metric, {"pipeline": name}) for metric in metrics] == [moment_s, 0]


def test_how_far_the_tables_are_is_shown_while_a_build_takes_its_time(
    guarded: Loops, updates: ProgressUpdates, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_building, may_go_on = threading.Event(), threading.Event()

    def build(_: PipelineLoop) -> bool:
        is_building.set()
        return may_go_on.wait(60)

    monkeypatch.setattr(PipelineLoop, "_keep_query", lambda _: True)
    monkeypatch.setattr(PipelineLoop, "_note_losses", lambda _: True)
    monkeypatch.setattr(PipelineLoop, "_build", build)
    guarded.serve([named("builds")])
    assert is_building.wait(30)
    (loop,) = guarded()
    for moment_s in (100, 200):
        commit_to(loop, updates, moment_s)
        until(partial(is_shown, "builds", moment_s), 30, "the commit to show")
    may_go_on.set()


def test_the_guard_looks_while_a_loop_stands_still(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    stands_still = threading.Event()
    monkeypatch.setattr(PipelineLoop, "_keep_query", lambda _: stands_still.wait(30))
    monkeypatch.setattr(PipelineLoop, "batch_runs_s", lambda _: 31.0)
    gave_up: list[str] = []
    monkeypatch.setattr("streaming.job.give_up", gave_up.append)
    monkeypatch.setattr("streaming.job.LOOK_EVERY_S", 0.01)
    loops.serve([named("hangs")])
    stop = threading.Event()
    guard = threading.Thread(target=watch_loops, args=(loops, PACE, stop))
    guard.start()
    until(lambda: gave_up, 30, "the guard")
    stop.set()
    stands_still.set()
    guard.join(30)
    assert gave_up[0] == "hangs: a batch has not ended for 31 s"


def test_the_loop_of_a_removed_pipeline_ends_and_may_begin_anew(loops: Loops) -> None:
    loops.serve([named("stays"), named("goes")])
    [gone] = [loop for loop in loops() if loop.pipeline.name == "goes"]

    def served() -> list[str]:
        loops.serve([named("stays")])
        return [loop.pipeline.name for loop in loops()]

    until(lambda: served() == ["stays"], 30, "the end of its loop")
    assert not gone.is_alive()
    loops.serve([named("stays"), named("goes")])
    assert {loop.pipeline.name for loop in loops()} == {"stays", "goes"}
