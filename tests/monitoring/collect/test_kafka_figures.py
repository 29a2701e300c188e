"""What a local broker appends, by the growth of its segments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.collect.kafka_figures import BrokerFolder


def segment(folder: Path, partition: str, first_offset: int, size: int) -> Path:
    file = folder / "logs" / partition / f"{first_offset:020}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    return file


def test_without_a_folder_nothing_is_known(tmp_path: Path) -> None:
    assert BrokerFolder(tmp_path / "kafka").look() is None


def test_all_files_count_towards_the_size_and_the_folder_is_walked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment(tmp_path, "a-0", 0, 8192)
    (tmp_path / "logs" / "kafka.log").write_bytes(b"x" * 4096)
    walked: list[Path] = []
    rglob = Path.rglob

    def noting(folder: Path, pattern: str) -> Iterator[Path]:
        walked.append(folder)
        yield from rglob(folder, pattern)

    monkeypatch.setattr(Path, "rglob", noting)
    found = BrokerFolder(tmp_path).look()
    assert found is not None
    assert found.size_bytes == 12_288
    assert walked == [tmp_path]


def test_only_what_is_appended_counts(tmp_path: Path) -> None:
    folder = BrokerFolder(tmp_path)

    def appended() -> int | None:
        found = folder.look()
        return None if found is None else found.appended_bytes

    segment(tmp_path, "a-0", 0, 100)
    assert appended() == 0, "what was there before nobody has seen appended"
    segment(tmp_path, "a-0", 0, 150)
    segment(tmp_path, "b-0", 0, 7)
    assert appended() == 57
    first = segment(tmp_path, "a-0", 0, 170)
    segment(tmp_path, "a-0", 40, 30)
    assert appended() == 50, "the rest of the old segment, and the new one"
    first.unlink()
    assert appended() == 0, "what retention removes"
    segment(tmp_path, "a-0", 40, 10)
    assert appended() == 0, "what compaction makes smaller"
    (tmp_path / "logs" / "kafka.log").write_bytes(b"x" * 999)
    assert appended() == 0, "the broker's own log is none of its partitions'"
