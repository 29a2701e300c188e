"""`hotpath reset` and `remove`: what hotpath made goes, also in engines of a team's own; nothing else does."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cli import main
from infra.ports import Ports
from infra.stack.deployments import deploy, deployments
from streaming.kafka.topic_admin import ensure_topics
from streaming.pipeline_file.load import load
from tests.integration.conftest import free_base
from tests.integration.own_kafkas import OwnKafkas, delete_topic, make_topic, names, own_kafkas
from tests.integration.own_streaming import MINIMAL
from tests.waiting import until

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnKafkas]:
    with own_kafkas(tmp_path_factory.mktemp("own"), free_base()) as running:
        yield running


@pytest.fixture
def own(brokers: OwnKafkas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnKafkas:
    """The brokers, a folder that stands for the team's HDFS, and two pipelines that share the topic of events."""
    env = {**brokers.env, "HOTPATH_DATA": str(tmp_path / "data"), "HOTPATH_HDFS": f"file://{tmp_path}/hdfs"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    made, prefix = OwnKafkas(env), f"t{next(_NUMBERS)}_"
    for name in (f"{prefix}first", f"{prefix}second"):
        file, text = tmp_path / f"{name}.toml", MINIMAL.read_text().replace("machines", f"{prefix}first")
        file.write_text(text.replace(f'name = "{prefix}first"', f'name = "{name}"'))
        pipeline = load(file)
        deploy(made.settings, Ports.of(made.settings), file, pipeline)
        ensure_topics(made.places, [pipeline])
        (tmp_path / "hdfs" / "hotpath" / name / "tables").mkdir(parents=True)
        (made.settings.folder.of_pipeline(name) / "candidates").mkdir(parents=True)
    made.settings.run.mkdir(parents=True, exist_ok=True)
    return made


_NUMBERS = itertools.count()
"""Tests share the brokers: each has topics of its own."""


def gone(own: OwnKafkas, *topics: str) -> bool:
    return not set(topics) & (names(own.places.onprem) | names(own.places.cloud))


def test_the_reset_of_a_pipeline_leaves_what_is_not_its_own(own: OwnKafkas, tmp_path: Path) -> None:
    first, second = own.settings.deployed_names()
    make_topic(own.places.cloud, "of.the.team", {})
    delete_topic(own.places.cloud, f"{second}.models")
    make_topic(own.places.cloud, f"{second}.models", {})  # of the same name as one that hotpath had made
    shared = deployments(own.settings)[0].pipeline.events.topic
    assert main(["reset", second, "--yes"]) == 0
    until(lambda: gone(own, f"{second}.predictions"), 30, "the end of its topics")
    assert {"of.the.team", f"{second}.models", shared, f"{first}.models"} <= names(own.places.cloud)
    assert {shared, f"{first}.models"} <= names(own.places.onprem)
    assert f"{second}.models" not in names(own.places.onprem)
    assert [each.name for each in (tmp_path / "hdfs" / "hotpath").iterdir()] == [first]
    assert own.settings.deployed_names() == [first]
    assert not own.settings.folder.of_pipeline(second).exists()
    assert f"scorer:{second}" not in Ports.of(own.settings).given()


def test_the_reset_of_everything_reaches_into_the_teams_engines(own: OwnKafkas, tmp_path: Path) -> None:
    first, second = own.settings.deployed_names()
    make_topic(own.places.onprem, "of.another.team", {})
    assert main(["remove", second]) == 0
    assert main(["reset", "--yes"]) == 0
    until(lambda: gone(own, f"{first}.models", f"{second}.models", f"{first}.predictions"), 30, "the topics' end")
    assert "of.another.team" in names(own.places.onprem)
    assert list((tmp_path / "hdfs" / "hotpath").iterdir()) == []
    assert not own.settings.data.exists()


def test_nothing_goes_without_a_yes(
    own: OwnKafkas, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = own.settings.deployed_names()
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert main(["reset", first]) == 1
    told = capsys.readouterr().out
    assert f"{own.places.hdfs}/hotpath/{first}: tables" in told
    assert f"{first}.predictions" in told
    assert "nothing was deleted" in told
    assert f"{first}.models" in names(own.places.cloud)
    assert own.settings.deployed_names() == [first, second]


def test_a_pipeline_that_is_not_there_is_told_with_those_that_are(
    own: OwnKafkas, capsys: pytest.CaptureFixture[str]
) -> None:
    known = ", ".join(own.settings.deployed_names())
    for command in (["reset", "third", "--yes"], ["remove", "third"]):
        assert main(command) == 1
        assert f"there are: {known}" in capsys.readouterr().err
