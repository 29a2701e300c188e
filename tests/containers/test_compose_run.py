"""The whole of compose in real containers: a first model, and every container killed once.

It needs root, Docker Engine, its compose plugin, debootstrap, Rust and an influxd 2; `hotpath test --deep` says when
one lacks. The images are built from stand-ins; that takes long.
"""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.containers import stand_ins
from tests.containers.compose_project import HOT_PORT, Caller, Project, image_bytes, wait_for
from tests.containers.docker_events import KilledForMemory, bytes_of_all
from tests.serving.load import Load, load

pytestmark = [pytest.mark.deep, pytest.mark.timeout(5400)]

SCORER_IMAGE_MB = 200
"""How much larger than its base the image of the scorers may be."""
ALL_TOGETHER_GB = 8.0


def test_the_image_of_scorers_is_small_and_holds_no_engine(project: Project) -> None:
    own, base = image_bytes("hotpath-scorer:0.1.0"), image_bytes(stand_ins.BASE)
    print(f"\nthe image of scorers is {(own - base) / 1e6:.0f} MB larger than its base")
    assert own - base <= SCORER_IMAGE_MB * 1e6
    looked = "find / -xdev ( -name java -o -name *.jar -o -name pyspark -o -name h2o ) -print"
    command = ["docker", "run", "--rm", "--entrypoint", "sh", "hotpath-scorer:0.1.0", "-c", f"set -f; {looked}"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.split()
    assert found == []


def test_a_trained_model_answers_and_all_is_well_and_confined(project: Project, caller: Caller) -> None:
    assert caller.model() in project.models()
    project.becomes_well()
    for name, told in project.containers().items():
        assert told["HostConfig"]["ReadonlyRootfs"], name
        assert told["Config"]["User"] not in ("", "0", "root"), name
        bound = [port["HostIp"] for ports in (told["HostConfig"]["PortBindings"] or {}).values() for port in ports]
        assert set(bound) <= {"127.0.0.1"}, name


def test_whichever_container_is_killed_all_is_well_again_and_a_model_answers(project: Project, caller: Caller) -> None:
    for name in sorted(project.containers()):
        with load(HOT_PORT, "/health/live") as clients:
            took_s = kill_and_wait(project, name)
            wait_for(lambda: caller.model() is not None, 120, f"a model answers after {name} was killed")
            clients.more(50)
        print(f"{name}: well after {took_s:.0f} s, {clients.answered.total()} answered, failed: {dict(clients.failed)}")
        assert_few_failed(name, clients)
    project.becomes_well()


def kill_and_wait(project: Project, name: str) -> float:
    """How long it takes until the container is well again, in seconds."""
    before = project.containers()[name]["State"]["StartedAt"]
    began = time.monotonic()
    project.kill(name)
    wait_for(lambda: project.containers()[name]["State"]["StartedAt"] != before, 120, f"{name} is started again")
    wait_for(lambda: project.is_well(name), 300, f"{name} is well again")
    return time.monotonic() - began


def assert_few_failed(name: str, clients: Load) -> None:
    """A scorer takes the connections with it that it had accepted; `net` takes the hot address, until it is back."""
    if "-net-" not in name:
        assert clients.failed.total() <= (clients.connections if "-scorer-" in name else 0), name


def test_no_container_needs_more_memory_than_it_may_have(
    project: Project, caller: Caller, killed_for_memory: KilledForMemory
) -> None:
    taken_gb = bytes_of_all() / 1e9
    print(f"\nall containers together take {taken_gb:.1f} GB")
    assert taken_gb < ALL_TOGETHER_GB
    assert killed_for_memory.containers() == []
