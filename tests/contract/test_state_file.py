"""A damaged state file is taken for absent, and named once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from contract.process_identity import Process
from contract.state_file import read_state

DAMAGED = [b"", b"{", b'{"kafka": {"pid": 1', b"[]", b'{"kafka": {"pid": "x", "started": 1}}', b"\xff", b"[" * 60_000]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_taken_for_absent_and_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = tmp_path / "pids.json"
    file.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        assert [read_state(file, dict[str, Process], "nothing is ended") for _ in range(2)] == [None, None]
    (line,) = caplog.messages
    assert line.startswith(f"{file} is damaged (")
    assert line.endswith("and is taken for absent: nothing is ended")
    file.write_bytes(b'{"kafka": {"pid": 1, "started": 2}}')
    assert read_state(file, dict[str, Process], "") == {"kafka": Process(1, 2)}


def test_a_folder_in_its_place_counts_as_damage_and_no_file_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_state(tmp_path / "nothing.json", dict[str, int], "") is None
    assert caplog.messages == []
    assert read_state(tmp_path, dict[str, int], "nothing is ended") is None
    assert "Is a directory" in caplog.messages[0]
