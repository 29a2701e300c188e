"""Who waits for another installation says so."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from contract.files import exclusive_lock, holder
from infra.install import installer


def test_whoever_waits_for_another_installation_says_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, waits, done = list[str](), threading.Event(), threading.Event()

    def say(text: str) -> None:
        told.append(text)
        waits.set()

    def second() -> None:
        with installer.alone(tmp_path / "lock"):
            done.set()

    monkeypatch.setattr(installer, "say", say)
    with installer.alone(tmp_path / "lock"):
        waiting = threading.Thread(target=second)
        waiting.start()
        assert waits.wait(20)
        assert not done.is_set()
    waiting.join(20)
    assert done.is_set()
    assert told == [f"another hotpath (pid {os.getpid()}) is installing; waiting"]


def test_a_lock_that_nobody_could_note_names_nobody(tmp_path: Path) -> None:
    assert holder(tmp_path / "lock") is None
    with exclusive_lock(tmp_path / "lock"):
        assert holder(tmp_path / "lock") == os.getpid()
    (tmp_path / "lock").write_bytes(b"")
    assert holder(tmp_path / "lock") is None
