"""The whole of compose in real containers, but Grafana: a first model, switches under load, every container killed.

It needs root, Docker Engine, its compose plugin, debootstrap, Rust and an influxd 2; `hotpath test --deep` says when
one lacks. The images are built from stand-ins; that takes long.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract import variables
from contract.environment import Environment
from infra.stack.announce import event_of_now
from infra.stack.part_environment import EXAMPLE
from streaming.pipeline_file.load import load as load_pipeline
from tests.containers import stand_ins
from tests.containers.compose_project import Caller, Project, image_bytes, wait_for
from tests.serving.load import load

pytestmark = [pytest.mark.deep, pytest.mark.timeout(3600)]

HOT_PORT = 17020
SWITCHES = 10
SCORER_IMAGE_MB = 200
"""How much larger than its base the image of the scorers may be."""


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    influxd = Environment().get(variables.INFLUXD)
    assert influxd, "hotpath test names the one that it has built"
    stand_ins.make(Path(influxd))
    project = Project()
    project.down()
    project.build()
    yield project
    project.down()


@pytest.fixture(scope="module")
def caller(project: Project) -> Caller:
    """Once a trained model answers."""
    began = time.monotonic()
    project.up()
    print(f"\nevery container is healthy after {time.monotonic() - began:.0f} s")
    event = event_of_now(load_pipeline(EXAMPLE), datetime.now(UTC))
    caller = Caller(project.key(), json.dumps(event, default=str).encode())
    wait_for(lambda: caller.model() is not None, 1200, "a trained model answers")
    print(f"the first answer by a trained model after {time.monotonic() - began:.0f} s")
    return caller


def test_the_image_of_scorers_is_small_and_holds_no_engine(project: Project) -> None:
    own, base = image_bytes("hotpath-scorer:0.1.0"), image_bytes(stand_ins.BASE)
    print(f"\nthe image of scorers is {(own - base) / 1e6:.0f} MB larger than its base")
    assert own - base <= SCORER_IMAGE_MB * 1e6
    looked = "find / -xdev ( -name java -o -name *.jar -o -name pyspark -o -name h2o ) -print"
    command = ["docker", "run", "--rm", "--entrypoint", "sh", "hotpath-scorer:0.1.0", "-c", f"set -f; {looked}"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.split()
    assert found == []


def test_a_trained_model_answers_and_all_is_well(project: Project, caller: Caller) -> None:
    assert caller.model() in project.models()
    containers = project.containers()
    assert all(project.is_well(name) for name in containers)
    for name, told in containers.items():
        assert told["HostConfig"]["ReadonlyRootfs"], name
        assert told["Config"]["User"] not in ("", "0", "root"), name
        bound = [port["HostIp"] for ports in (told["HostConfig"]["PortBindings"] or {}).values() for port in ports]
        assert set(bound) <= {"127.0.0.1"}, name


def test_ten_switches_under_load_fail_no_request(project: Project, caller: Caller) -> None:
    wait_for(lambda: len(served(project)) > 1, 900, "there are two models to switch between")
    one, other = served(project)[-2:]
    with load(HOT_PORT, "/health/live") as clients:
        for number in range(SWITCHES):
            project.hotpath("models", "promote", "flights", (one, other)[number % 2], "--why", "a test")
        project.hotpath("models", "unpin", "flights")
        clients.more(100)
    print(f"\n{SWITCHES} switches, {clients.answered.total()} requests, failed: {dict(clients.failed)}")
    assert not clients.failed


def served(project: Project) -> list[str]:
    """The versions that serve or have served, oldest first."""
    return sorted(version for version, state in project.models().items() if state in ("champion", "retired"))


def test_whichever_container_is_killed_all_is_well_again_and_a_model_answers(project: Project, caller: Caller) -> None:
    for name in sorted(project.containers()):
        with load(HOT_PORT, "/health/live") as clients:
            took_s = kill_and_wait(project, name)
            wait_for(lambda: caller.model() is not None, 120, f"a model answers after {name} was killed")
        print(f"{name}: well after {took_s:.0f} s, {clients.answered.total()} answered, failed: {dict(clients.failed)}")
        if "scorer" not in name and "-net-" not in name:
            assert not clients.failed, name


def kill_and_wait(project: Project, name: str) -> float:
    """How long it takes until the container is well again, in seconds."""
    before = project.containers()[name]["State"]["StartedAt"]
    began = time.monotonic()
    project.kill(name)
    wait_for(lambda: project.containers()[name]["State"]["StartedAt"] != before, 120, f"{name} is started again")
    wait_for(lambda: project.is_well(name), 300, f"{name} is well again")
    return time.monotonic() - began


def test_a_pipeline_is_removed_and_deployed_by_commands(project: Project, caller: Caller) -> None:
    project.hotpath("remove", "flights")
    assert caller.model() is None
    project.hotpath("up", "/pipelines/pipeline.toml")
    wait_for(lambda: caller.model() is not None, 120, "the pipeline answers again")


def test_down_leaves_nothing(project: Project) -> None:
    project.down()
    label = "label=com.docker.compose.project=hotpath-test"
    for kind in ("container", "volume", "network"):
        command = ["docker", kind, "ls", "--quiet", "--filter", label, *(["--all"] if kind == "container" else [])]
        assert subprocess.check_output(command, text=True) == ""
