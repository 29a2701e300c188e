"""A part's log is bounded, whatever it writes."""

from __future__ import annotations

from pathlib import Path

from infra.supervisor.log_file import KEPT, LogFile


def test_a_log_never_takes_more_than_its_bound_and_keeps_the_newest(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs" / "part.log", max_bytes=1000)
    for number in range(1000):
        log.write(f"line {number:05}\n".encode())
    log.close()
    files = list((tmp_path / "logs").iterdir())
    assert len(files) == KEPT + 1
    assert sum(file.stat().st_size for file in files) <= 1000 * (KEPT + 1)
    assert (tmp_path / "logs" / "part.log").read_text().endswith("line 00999\n")


def test_a_log_that_is_opened_again_goes_on_and_older_lines_stand_in_the_files_with_higher_numbers(
    tmp_path: Path,
) -> None:
    for number in range(5):
        log = LogFile(tmp_path / "part.log", max_bytes=20)
        log.write(f"line {number:04}\n".encode())
        log.close()
    assert [(tmp_path / f"part.log{end}").read_text() for end in (".2", ".1", "")] == [
        "line 0000\nline 0001\n",
        "line 0002\nline 0003\n",
        "line 0004\n",
    ]
