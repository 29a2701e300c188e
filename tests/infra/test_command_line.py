"""Exit codes: 0 well, 1 a problem found, 2 usage."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.cli import main
from infra.status import judge, line_of, model_of, troubles_of
from serving.model_states import Model, ModelStates, write_states

READY = {
    "part": "kafka-onprem",
    "state": "ready",
    "problem": "",
    "look_first": "hotpath logs kafka-onprem",
    "pss_mb": 256,
}
BROKEN = {
    "part": "trainer",
    "state": "crashed",
    "problem": "exited with 1",
    "look_first": "hotpath logs trainer",
    "pss_mb": 0,
}
WITH_MODEL = {"pipeline": "flights", "model": "flights-20261121T021700Z"}


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def test_an_unknown_command_is_usage() -> None:
    with pytest.raises(SystemExit) as left:
        main(["dance"])
    assert left.value.code == 2


def test_status_without_a_stack_is_a_problem_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert "`hotpath up` starts it" in capsys.readouterr().err


def test_down_without_a_stack_is_well() -> None:
    assert main(["down"]) == 0


def test_up_with_a_broken_file_names_every_problem_and_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.toml"
    file.write_text('name = "Bad Name"\n[event]\ntopic = 1\n')
    assert main(["up", str(file)]) == 1
    assert len(capsys.readouterr().err.splitlines()) > 1
    assert not (tmp_path / "data").exists()


def test_logs_of_an_unknown_part_name_those_that_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = tmp_path / "data" / "logs"
    logs.mkdir(parents=True)
    (logs / "mirror.log").write_text("up\n")
    assert main(["logs", "miror"]) == 1
    assert "there are: mirror" in capsys.readouterr().err
    assert main(["logs", "mirror"]) == 0


def test_reset_leaves_a_folder_that_up_has_not_made(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("years of work")
    assert main(["reset", "--yes"]) == 1
    assert (tmp_path / "data" / "thesis.txt").exists()


def test_reset_clears_what_up_has_made(tmp_path: Path) -> None:
    (tmp_path / "data" / "run").mkdir(parents=True)
    assert main(["reset", "--yes"]) == 0
    assert not (tmp_path / "data").exists()


def test_status_names_the_first_broken_part_in_the_order_of_the_flow() -> None:
    verdict, well = judge([READY, BROKEN], [WITH_MODEL], [])
    assert not well
    assert verdict == "unwell: trainer is crashed: exited with 1; look with: hotpath logs trainer"


def test_status_is_well_when_every_part_is_ready_and_each_pipeline_has_a_model() -> None:
    assert judge([READY], [WITH_MODEL], []) == ("well: 1 parts, 0.2 GiB", True)
    assert not judge([READY], [{"pipeline": "flights", "model": None}], [])[1]


def test_status_is_unwell_when_the_monitor_finds_a_stage_standing_still_or_a_model_not_to_trust() -> None:
    standing = {"name": "mirror", "problem": "the mirror is 90 s behind", "command": "./hotpath logs mirror"}
    seen = {"name": "flights", "trusted": True, "headline": "", "stages": [standing | {"problem": None}, standing]}
    assert judge([READY], [WITH_MODEL], troubles_of(seen)) == (
        "unwell: flights: mirror: the mirror is 90 s behind; look with: hotpath logs mirror",
        False,
    )
    doubted = {"name": "flights", "trusted": False, "headline": "flights: do not trust the model now.", "stages": []}
    verdict, well = judge([READY], [WITH_MODEL], troubles_of(doubted))
    assert not well
    assert verdict.startswith("unwell: flights: do not trust the model now.")


def test_status_tells_the_age_of_the_model_that_serves(tmp_path: Path) -> None:
    assert model_of(tmp_path, "flights")["model"] is None
    champion = Model("flights-1", "champion", False, "rollout", "", "", 0.75)
    write_states(tmp_path, ModelStates({champion.version: champion}))
    assert model_of(tmp_path, "flights")["model_age_s"] is None, "its candidate is not on this host"
    assert model_of(tmp_path, "flights")["pinned"] is None


def test_status_tells_who_pinned_a_model_and_since_when(tmp_path: Path) -> None:
    pinned = Model("flights-1", "champion", True, "ann", "2026-11-21T02:17:00.000Z", "a bad week", 0.75)
    write_states(tmp_path, ModelStates({pinned.version: pinned}))
    told = line_of(model_of(tmp_path, "flights"))
    assert told.endswith("flights-1 is pinned by ann since 2026-11-21T02:17:00.000Z: a bad week")
    (tmp_path / "candidates" / "flights-1").mkdir(parents=True)
    newest = datetime.now(UTC) - timedelta(minutes=10)
    manifest = tmp_path / "candidates" / "flights-1" / "manifest.json"
    manifest.write_text(json.dumps({"newest_as_of": newest.isoformat()}))
    assert 600 <= model_of(tmp_path, "flights")["model_age_s"] < 660
