"""What a local broker appends, by the growth of its segments."""

from __future__ import annotations

from pathlib import Path

from monitoring.collect.kafka_figures import AppendedBytes


def segment(folder: Path, partition: str, first_offset: int, size: int) -> Path:
    file = folder / "logs" / partition / f"{first_offset:020}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    return file


def test_without_a_folder_nothing_is_known(tmp_path: Path) -> None:
    assert AppendedBytes(tmp_path / "kafka").since_last_look() is None


def test_only_what_is_appended_counts(tmp_path: Path) -> None:
    appended = AppendedBytes(tmp_path)
    segment(tmp_path, "a-0", 0, 100)
    assert appended.since_last_look() == 0, "what was there before nobody has seen appended"
    segment(tmp_path, "a-0", 0, 150)
    segment(tmp_path, "b-0", 0, 7)
    assert appended.since_last_look() == 57
    first = segment(tmp_path, "a-0", 0, 170)
    segment(tmp_path, "a-0", 40, 30)
    assert appended.since_last_look() == 50, "the rest of the old segment, and the new one"
    first.unlink()
    assert appended.since_last_look() == 0, "what retention removes"
    segment(tmp_path, "a-0", 40, 10)
    assert appended.since_last_look() == 0, "what compaction makes smaller"
    (tmp_path / "logs" / "kafka.log").write_bytes(b"x" * 999)
    assert appended.since_last_look() == 0, "the broker's own log is none of its partitions'"
