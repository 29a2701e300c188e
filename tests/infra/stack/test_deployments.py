"""Deploying and removing: a removed pipeline ends everywhere, one whose file merely vanished goes on."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from contract.layout import Places
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.deletions import DeletionFailed, _forget, of_pipeline
from infra.stack.deployments import (
    DeploymentUnreadable,
    deploy,
    deployment,
    deployments,
    removed,
    take_back,
    unreadable,
    vanished,
)
from streaming.pipeline_file.deployed_files import Deployed
from streaming.pipeline_file.load import load

MINIMAL = Path("tests/pipelines/minimal.toml").absolute()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    own = Settings.from_environment({"HOTPATH_DATA": str(tmp_path)})
    deploy(own, Ports.of(own), MINIMAL, load(MINIMAL))
    return own


def test_a_removed_pipeline_is_forgotten_and_may_come_back(settings: Settings) -> None:
    [name], deployed = settings.deployed_names(), Deployed(Places(settings.data))
    port = Ports.of(settings)[f"scorer:{name}"]
    assert [each.name for each in deployed.pipelines()] == [name]
    take_back(settings, name)
    assert deployed.pipelines() == []
    assert (settings.deployed_names(), settings.removed_names()) == ([], [name])
    before = deployment(settings, name)
    assert before is not None
    assert before.source == MINIMAL, "what it was is known, to compare a changed file with"
    deploy(settings, Ports.of(settings), MINIMAL, load(MINIMAL))
    assert [each.name for each in deployed.pipelines()] == [name]
    _forget(settings.folder, name)  # a part that did not look between the removal and the reset
    assert (deployed.pipelines(), settings.deployed_names(), deployment(settings, name)) == ([], [], None)
    deploy(settings, Ports.of(settings), MINIMAL, load(MINIMAL))
    assert [each.name for each in deployed.pipelines()] == [name]
    assert (settings.removed_names(), removed(settings)) == ([], [])
    assert Ports.of(settings)[f"scorer:{name}"] == port, "its address stays the same"


def test_a_file_that_vanished_stops_nothing_and_is_told(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    [known], deployed = deployments(settings), Deployed(Places(settings.data))
    assert len(deployed.pipelines()) == 1
    known.path.unlink()
    with caplog.at_level(logging.ERROR):
        assert [each.name for each in deployed.pipelines() + deployed.pipelines()] == [known.pipeline.name] * 2
    assert [record.getMessage() for record in caplog.records] == [
        f"pipeline file has vanished, going on with what it said file={known.path}"
    ]
    assert vanished(settings, [known]) == [known.pipeline.name]
    deploy(settings, Ports.of(settings), MINIMAL, load(MINIMAL))
    assert len(deployed.pipelines()) == 1
    assert vanished(settings, [known]) == []


def broken_files(folder: Path) -> list[Path]:
    """One of each kind that does not load, none of which is the pipeline's own."""
    (folder / "a-folder.toml").mkdir()
    (folder / "dangling.toml").symlink_to(folder / "nowhere")
    (folder / "empty.toml").touch()
    (folder / "huge.toml").write_text(f"q = {'1' * 5000}")
    (folder / "no-text.toml").write_bytes(b"\xff\0")
    return [folder / f"{name}.toml" for name in ("a-folder", "dangling", "empty", "huge", "no-text")]


def test_a_file_that_does_not_load_holds_up_no_other_pipeline(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    [name], deployed = [each.pipeline.name for each in deployments(settings)], Deployed(Places(settings.data))
    broken = {path.stem for path in broken_files(settings.pipelines)}
    assert len(broken) == 5
    with caplog.at_level(logging.ERROR):
        assert [each.name for each in deployed.pipelines() + deployed.pipelines()] == [name] * 2
    assert len(caplog.records) == 5, "each is said once"
    assert {path.stem for path in deployed.unreadable} == broken
    assert [each.pipeline.name for each in deployments(settings)] == [name]
    told = unreadable(settings)
    assert all(any(f"hotpath remove {each}`" in line for line in told) for each in broken)
    with pytest.raises(DeploymentUnreadable, match="empty"):
        deployment(settings, "empty")


def test_a_file_that_is_mended_or_taken_away_is_forgotten(settings: Settings) -> None:
    deployed, file = Deployed(Places(settings.data)), settings.pipelines / "other.toml"
    file.mkdir()
    deployed.pipelines()
    assert list(deployed.unreadable) == [file]
    file.rmdir()
    file.write_text(MINIMAL.read_text().replace('name = "', 'name = "other_', 1))
    assert len(deployed.pipelines()) == 2
    assert deployed.unreadable == {}
    file.write_text("[")
    assert len(deployed.pipelines()) == 2, "what it was stays"
    assert list(deployed.unreadable) == [file]
    file.unlink()
    deployed.pipelines()
    assert deployed.unreadable == {}


def test_nothing_is_deleted_while_a_file_does_not_load(settings: Settings) -> None:
    [own] = deployments(settings)
    (settings.pipelines / "other.toml").write_text("[")
    with pytest.raises(DeletionFailed, match=r"which topics other pipelines share .* is not known"):
        of_pipeline(settings, own)
