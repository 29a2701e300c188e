"""The growth that is told is the difference of two looks, an hour and a day."""

from __future__ import annotations

from pathlib import Path

from benchmarks.growth import sizes, table


def test_each_folder_counts_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "hdfs" / "data").mkdir(parents=True)
    (tmp_path / "hdfs" / "data" / "block").write_bytes(b"x" * 3_000_000)
    (tmp_path / "keys").write_bytes(b"k")
    found = sizes(tmp_path)
    assert found.keys() == {"hdfs", "keys"}
    assert 3_000_000 <= found["hdfs"] < 3_100_000


def test_growth_is_told_for_an_hour_and_a_day() -> None:
    lines = table({"hdfs": 10_000_000}, {"hdfs": 30_000_000, "logs": 5_000_000, "keys": 4}, hours=0.5)
    assert lines[1].split() == ["hdfs", "30", "40", "0.96"]
    assert lines[-1].split() == ["all", "35", "50", "1.20"]
    assert len(lines) == 4
