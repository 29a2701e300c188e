"""The points of the charts: they outlive the monitor, and neither a damaged file nor a full disk stops it."""

from __future__ import annotations

import logging
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitoring.page.history import KEPT_S, History


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monitor" / "history.sqlite"


def test_points_outlive_the_process_and_old_ones_go(file: Path) -> None:
    history = History(file)
    history.add(1000.0, [("age", 1.0)])
    history.add(1000.0 + KEPT_S, [("age", 2.0), ("switch", 7.0)])
    history.close()
    assert History(file).series("age", 0.0) == [(1000.0, 1.0), (1000.0 + KEPT_S, 2.0)]
    History(file).add(1001.0 + KEPT_S, [])
    assert History(file).series("age", 0.0) == [(1000.0 + KEPT_S, 2.0)]


def another_table(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE points (name TEXT)")
    db.close()


def garbage(file: Path) -> None:
    file.write_text("SQLite garbage")


def cut_off(file: Path) -> None:
    history = History(file)
    history.add(1.0, [(f"series {n}", 1.0) for n in range(1000)])
    history.close()
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 8192)


@pytest.mark.parametrize("damage", [garbage, cut_off, another_table])
def test_a_damaged_file_is_put_aside_and_begun_anew(
    file: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir()
    damage(file)
    history = History(file)
    history.add(1000.0, [("age", 1.0)])
    history.add(1003.0, [("age", 2.0)])
    assert history.series("age", 0.0) == [(1003.0, 2.0)]
    (told,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert str(file) in told.getMessage()
    assert file.with_name("history.sqlite.damaged").exists()


@contextmanager
def full_disk() -> Iterator[None]:
    """Every file of this process may grow no further."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_the_disk_refuses_is_dropped_said_once_and_taken_again_later(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    history = History(file)
    history.add(1000.0, [("age", 1.0)])
    with full_disk():
        history.add(1003.0, [("age", 2.0)])
        history.add(1006.0, [("age", 2.0)])
    history.add(1009.0, [("age", 3.0)])
    assert history.series("age", 0.0) == [(1000.0, 1.0), (1009.0, 3.0)]
    assert not file.with_name("history.sqlite.damaged").exists()
    (told,) = [record.getMessage() for record in caplog.records]
    assert f"dropped file={file}" in told


def test_a_file_that_cannot_be_opened_costs_points_only(file: Path) -> None:
    file.mkdir(parents=True)
    history = History(file)
    history.add(1000.0, [("age", 1.0)])
    assert history.series("age", 0.0) == []
