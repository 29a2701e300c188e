"""The replay's import is closed however it ends: while it is open no bucket closes."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest
from flights_clock import START, Clock, load_or_anchor
from flights_records import Record, records
from producing import Producing
from replay import Position, catch_up


class Broker:
    """Takes records until there are enough: then it fails, or the replay is told to stop."""

    def __init__(self, enough: int, stopping: threading.Event | None) -> None:
        self.announced: list[bool] = []
        self._left, self._stopping = enough, stopping

    def announce_import(self, is_open: bool) -> None:
        self.announced.append(is_open)

    def body(self, record: Record) -> bytes:
        return b""

    def settle(self) -> None:
        pass

    def produce(self, *_: Any, **__: Any) -> None:
        self._left -= 1
        if self._left == 0 and self._stopping is None:
            raise RuntimeError("the broker refused")
        if self._left == 0 and self._stopping is not None:
            self._stopping.set()


def imported(tmp_path: Path, broker: Broker, stopping: threading.Event) -> Record | None:
    clock = Clock(time.time(), START, 60)
    stream = records(START - 86_400, is_over=stopping.is_set)
    return catch_up(stream, cast(Producing, broker), clock, Position(tmp_path / "position.json"), stopping)


def test_an_import_that_is_refused_is_closed(tmp_path: Path) -> None:
    broker = Broker(10, None)
    with pytest.raises(RuntimeError, match="the broker refused"):
        imported(tmp_path, broker, threading.Event())
    assert broker.announced == [True, False]


def test_an_import_that_is_told_to_stop_is_closed_and_nothing_is_played(tmp_path: Path) -> None:
    stopping = threading.Event()
    broker = Broker(10, stopping)
    assert imported(tmp_path, broker, stopping) is None
    assert broker.announced == [True, False]


def test_after_an_import_the_first_record_that_is_still_to_come_is_played(tmp_path: Path) -> None:
    broker = Broker(-1, None)
    first = imported(tmp_path, broker, threading.Event())
    assert first is not None
    assert first.moment >= START
    assert broker.announced == [True, False]


def test_a_damaged_position_is_the_earliest_one_and_a_damaged_clock_is_refused_by_name(tmp_path: Path) -> None:
    position, clock = tmp_path / "flights.position.json", tmp_path / "flights.clock.json"
    for content in ("", "{", "[]", '{"flight": "x"}'):
        position.write_text(content)
        clock.write_text(content)
        assert Position(position).load(5.0) == 5.0
        with pytest.raises(
            SystemExit, match=r"flights.clock.json is damaged \(.*remove it, and the flights begin anew"
        ):
            load_or_anchor(clock, 60, 0)
    Position(position).store(7.0)
    assert Position(position).load(5.0) == 7.0
