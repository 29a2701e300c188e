"""Points on disk: the oldest first, bounded, and counted where they are dropped."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import REGISTRY

from monitoring.influx.point_spool import LINES_A_FILE, PointSpool, point_count

LINE = "m value=1 1"


def dropped() -> float:
    return REGISTRY.get_sample_value("hotpath_monitor_influx_points_total", {"outcome": "dropped"}) or 0.0


def test_what_was_added_is_there_in_its_order_and_outlives_the_process(tmp_path: Path) -> None:
    spool = PointSpool(tmp_path, 10**6)
    spool.add([LINE, LINE])
    spool.add(LINE for _ in range(LINES_A_FILE + 1))
    again = PointSpool(tmp_path, 10**6)
    again.add(["m value=2 2"])
    assert [point_count(file) for file in again.files()] == [2, LINES_A_FILE, 1, 1]
    assert again.files()[-1].read_text() == "m value=2 2\n"
    again.remove(again.files()[0])
    again.remove(tmp_path / "000000000000.lp")  # gone already
    assert len(again.files()) == 3


def test_beyond_the_bound_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    before, spool = dropped(), PointSpool(tmp_path, 5 * (len(LINE) + 1))
    for _ in range(4):
        spool.add([LINE, LINE])
    assert [point_count(file) for file in spool.files()] == [2, 2]
    assert dropped() == before + 4
    spool.add([LINE] * 50)
    assert [point_count(file) for file in spool.files()] == [50], "the newest stays, whatever its size"


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.lp").write_text("mine")
    spool = PointSpool(tmp_path, 1)
    spool.add([LINE])
    assert [file.name for file in spool.files()] == ["000000000000.lp"]
    assert (tmp_path / "notes.lp").read_text() == "mine"
