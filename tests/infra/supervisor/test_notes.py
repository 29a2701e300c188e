"""Notes that the disk refuses are told, and written once it takes them."""

from __future__ import annotations

from pathlib import Path

from infra.supervisor.notes import Notes


def test_what_the_disk_refuses_is_told_and_written_later_as_it_was_last(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way of the folder")
    notes, path = Notes(), tmp_path / "run" / "pids.json"
    notes.write(path, b"first")
    notes.write(path, b"second")
    assert (notes.failures, notes.problems()) == (2, [f"the supervisor cannot write {path}: File exists"])
    (tmp_path / "run").unlink()
    notes.retry()
    assert (path.read_bytes(), notes.problems()) == (b"second", [])
    notes.remove(path)
    notes.retry()
    assert not path.exists()
