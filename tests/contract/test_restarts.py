"""Restarts: when a part that runs again is still a trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.restarts import Restart, RestartsError, encode_restarts, read_restarts, trouble_of

NOW_S = 1_795_252_000.0


def ended(*ago_s: float, why: str = "ended by SIGKILL", part: str = "trainer") -> list[Restart]:
    return [Restart(part, NOW_S - each, why) for each in ago_s]


def test_a_single_restart_is_no_trouble_unless_the_part_ended_itself() -> None:
    assert trouble_of("trainer", ended(5), NOW_S) is None
    told = trouble_of("trainer", ended(5, why="exited with 70: stuck"), NOW_S)
    assert told is not None
    assert told.startswith("trainer ended itself 5 s ago")
    assert "stuck" in told
    assert trouble_of("trainer", ended(301, why="exited with 70: stuck"), NOW_S) is None


def test_often_is_a_trouble_until_it_is_over() -> None:
    assert trouble_of("trainer", ended(500, 300, 100), NOW_S) is not None
    assert trouble_of("trainer", ended(500, 300, 130), NOW_S) is None
    assert trouble_of("trainer", ended(700, 300, 100), NOW_S) is None
    assert trouble_of("h2o", ended(500, 300, 100), NOW_S) is None


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "restarts.json"
    assert read_restarts(file) == []
    file.write_bytes(encode_restarts(ended(5, 3)))
    assert read_restarts(file) == ended(5, 3)
    file.write_text("[{}]")
    with pytest.raises(RestartsError, match="damaged"):
        read_restarts(file)
