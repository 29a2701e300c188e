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


def test_lines_that_the_disk_refuses_are_counted_and_the_log_says_later_where_they_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "part.log"
    path.symlink_to("/dev/full")
    log = LogFile(path)
    assert (log.dropped, log.problem()) == (0, "")
    log.write(b"one\ntwo\n")
    log.write(b"three\n")
    assert log.dropped == 3
    assert log.problem() == f"3 lines could not be written to the log {path}: No space left on device"
    path.unlink()  # there is room again
    log.retry()
    log.write(b"four\n")
    log.close()
    assert path.read_text() == "\n(3 lines could not be written here: No space left on device)\nfour\n"
    assert log.problem().startswith("3 lines"), "of late"


def test_a_log_whose_folder_cannot_be_made_drops_its_lines(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    log = LogFile(tmp_path / "logs" / "part.log")
    log.write(b"lost\n")
    (tmp_path / "logs").unlink()
    log.write(b"kept\n")
    log.close()
    assert (tmp_path / "logs" / "part.log").read_text().endswith("kept\n")
    assert log.dropped == 1
