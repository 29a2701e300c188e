"""The stack as a person meets it: status, a further pipeline, killed parts, kill -9 of everything."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from infra.supervisor.processes import pss_bytes
from tests.integration.conftest import RunningStack
from tests.waiting import until

pytestmark = pytest.mark.engines


def answers_ready(stack: RunningStack, name: str) -> bool:
    address = stack.env[f"HOTPATH_SCORER_{name.upper()}"]
    try:
        return httpx.get(f"http://{address}/health/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_status_tells_every_part_and_each_pipelines_model(stack: RunningStack) -> None:
    told = json.loads(stack.hotpath("status", "--json").stdout)
    parts = {part["part"] for part in told["parts"]}
    assert {"kafka-onprem", "kafka-cloud", "mirror", "namenode", "datanode", "h2o", "streaming", "trainer"} <= parts
    flights = next(each for each in told["pipelines"] if each["pipeline"] == "flights")
    assert flights["model"].startswith("flights-")


def test_the_whole_stack_takes_less_than_six_gigabytes(stack: RunningStack) -> None:
    told = json.loads(stack.hotpath("status", "--json").stdout)
    assert sum(pss_bytes(part["pid"]) for part in told["parts"] if part["pid"]) < 6 * 1024**3


@pytest.mark.ends
def test_the_namenodes_edits_go_into_checkpoints(stack: RunningStack) -> None:
    """The first comes five minutes after a start; formatting has written the one of number 0."""
    folder = stack.data / "hdfs" / "name" / "current"

    def numbers() -> list[int]:
        names = [file.name.removeprefix("fsimage_") for file in folder.glob("fsimage_*")]
        return [int(name) for name in names if name.isdigit()]

    until(lambda: max(numbers()) > 0, 480, "a checkpoint")


def test_the_key_is_for_its_owner_alone_and_the_control_socket_too(stack: RunningStack) -> None:
    assert (stack.data / "keys").stat().st_mode & 0o077 == 0
    assert stack.settings.control.stat().st_mode & 0o077 == 0


def test_a_change_of_what_is_stored_is_refused_before_anything_is_done(stack: RunningStack, tmp_path: Path) -> None:
    deployed = stack.data / "pipelines" / "flights.toml"
    before = deployed.read_text()
    changed = tmp_path / "flights.toml"
    changed.write_text(before.replace('buckets = "1m"', 'buckets = "2m"'))
    done = stack.hotpath("up", str(changed))
    assert done.returncode == 1
    assert "[lake] buckets has changed" in done.stderr
    assert deployed.read_text() == before


@pytest.mark.restarts
@pytest.mark.parametrize("part", ["watcher", "trainer"])
def test_a_killed_part_is_ready_again_while_answers_go_on(stack: RunningStack, part: str) -> None:
    stack.kill_part(part)
    assert answers_ready(stack, "flights")


@pytest.mark.restarts
def test_after_kill_9_of_everything_the_model_serves_before_training_resumes(stack: RunningStack) -> None:
    stack.kill_everything()
    stack.begin_again()
    until(lambda: answers_ready(stack, "flights"), 60, "an answer by the model of before")
    assert stack.parts()["trainer"]["state"] != "ready"
    stack.until_well()
