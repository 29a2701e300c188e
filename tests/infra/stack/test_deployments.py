"""Deploying and removing: a removed pipeline ends everywhere, one whose file merely vanished goes on."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from contract.layout import Places
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.deletions import _forget
from infra.stack.deployments import deploy, deployment, deployments, removed, take_back, vanished
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
