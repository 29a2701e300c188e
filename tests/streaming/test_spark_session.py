"""The settings of the one Spark session."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.layout import Places
from streaming.spark_session import _settings_of


def test_what_a_killed_driver_has_left_on_disk_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "delta-any.jar").touch()
    monkeypatch.setenv("HOTPATH_SPARK_JARS", str(tmp_path / "jars"))
    left = tmp_path / "spark" / "blockmgr-of-a-killed-driver" / "0c"
    left.mkdir(parents=True)
    (left / "shuffle_1_1_0.data").write_bytes(b"x")
    settings = _settings_of(Places(tmp_path, {}))
    assert settings["spark.local.dir"] == str(tmp_path / "spark")
    assert list((tmp_path / "spark").iterdir()) == []
