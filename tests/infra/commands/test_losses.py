"""`hotpath losses` against losses in a folder: the list, and what acknowledging changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contract.layout import Places
from infra.cli import main
from streaming.lake.losses import read_losses, record_loss
from tests.streaming.lake.test_losses import LOST


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("HOTPATH_DATA", str(tmp_path))
    (tmp_path / "pipelines" / "removed").mkdir(parents=True)
    (tmp_path / "pipelines" / "removed" / "world.toml").touch()
    monkeypatch.setenv("HOTPATH_HDFS", f"file://{tmp_path}")
    return Places.from_environment()


def test_a_loss_is_listed_until_it_is_acknowledged(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    here = ("--pipeline", "world")
    assert main(["losses", "list", *here]) == 0
    assert capsys.readouterr().out == "nothing was lost\n"
    record_loss(places, "world", LOST)
    assert main(["losses", "list", *here]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{LOST.id}  world  at most 1,200 records of asked/1 were lost between 2026-01-01T00:00:00")
    assert said.endswith("not acknowledged; its buckets are left out of training\n")
    assert main(["losses", "acknowledge", LOST.id, *here]) == 0
    assert main(["losses", "list", *here]) == 0
    assert "its buckets are left out of training" in capsys.readouterr().out
    assert main(["losses", "acknowledge", LOST.id, "--use", *here]) == 0
    assert "its buckets are trained on" in capsys.readouterr().out
    assert read_losses(places, "world")[0].use


def test_the_list_as_json_says_what_was_lost(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    record_loss(places, "world", LOST)
    assert main(["losses", "list", "--json", "--pipeline", "world"]) == 1
    (loss,) = json.loads(capsys.readouterr().out)
    assert (loss["pipeline"], loss["id"], loss["found"]["count"], loss["use"]) == ("world", LOST.id, 1200, False)
    assert loss["says"].startswith("at most 1,200 records of asked/1")


def test_a_loss_that_is_not_there_is_refused(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["losses", "acknowledge", "nothing", "--pipeline", "world"]) == 1
    assert "world has no loss nothing; `hotpath losses list` shows all" in capsys.readouterr().err
    assert main(["losses", "list", "--pipeline", "wrold"]) == 1
    assert "there is no pipeline wrold; there are: world" in capsys.readouterr().err
    assert main(["losses", "list"]) == 2
    assert "no pipeline is deployed" in capsys.readouterr().err
    assert places.data.exists()


def test_a_damaged_loss_is_told_beside_the_others(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    record_loss(places, "world", LOST)
    damaged = Path(places.losses("world").removeprefix("file://")) / "cut.json"
    damaged.write_bytes(b"{")
    assert main(["losses", "list", "--pipeline", "world"]) == 1
    said = capsys.readouterr()
    assert LOST.id in said.out
    assert "losses/cut.json does not read" in said.err
    assert main(["losses", "acknowledge", "cut", "--pipeline", "world"]) == 1
    assert main(["losses", "acknowledge", "cut", "--use", "--pipeline", "world"]) == 0
    assert "its damaged file is removed" in capsys.readouterr().out
    assert not damaged.exists()
