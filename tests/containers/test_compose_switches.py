"""Blue and green in containers: ten switches under load, and greens that go wrong. No request fails that need not."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.containers.compose_project import HOT_PORT, PIPELINE, Caller, Project, wait_for
from tests.containers.greens import Greens
from tests.serving.load import load

pytestmark = [pytest.mark.deep, pytest.mark.timeout(3600)]

SWITCHES = 10


@pytest.fixture(scope="module")
def greens(project: Project, caller: Caller, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Greens]:
    """While no other model comes."""
    project.run("stop", "trainer")
    yield Greens(project, tmp_path_factory.mktemp("onprem"))
    project.run("start", "trainer")
    project.becomes_well()


@pytest.fixture
def champion(project: Project, caller: Caller) -> str:
    serves = [version for version, state in project.models().items() if state == "champion"]
    wait_for(lambda: caller.model() == serves[0], 120, f"the champion {serves[0]} answers")
    return serves[0]


def becomes(project: Project, version: str, state: str) -> None:
    wait_for(lambda: project.models()[version] == state, 300, f"{version} is {state}")


def test_ten_switches_fail_no_request(project: Project, caller: Caller, greens: Greens, champion: str) -> None:
    other = greens.copy_of(champion)
    becomes(project, other, "champion")
    with load(HOT_PORT, "/health/live") as clients:
        for number in range(SWITCHES):
            version = (champion, other)[number % 2]
            project.hotpath("models", "promote", version, "--why", "a test")
            wait_for(lambda version=version: caller.model() == version, 120, f"{version} answers", 0.2)
        project.hotpath("models", "unpin", PIPELINE)
        clients.more(100)
    print(f"\n{SWITCHES} switches, {clients.answered.total()} requests, failed: {dict(clients.failed)}")
    assert not clients.failed


def test_green_that_fails_its_golden_requests_never_serves(
    project: Project, caller: Caller, greens: Greens, champion: str
) -> None:
    with load(HOT_PORT, "/health/live") as clients:
        project.hotpath("models", "promote", champion, "--why", "to hold what follows")
        green = greens.copy_of(champion)
        becomes(project, green, "admitted")
        greens.spoil_golden_request(green)
        project.hotpath("models", "unpin", PIPELINE)
        becomes(project, green, "rejected")
        clients.more(50)
    shown = json.loads(project.hotpath("models", "show", green, "--json"))
    assert "golden request 7" in json.dumps(shown)
    assert caller.model() == champion
    assert not clients.failed


def test_green_that_hangs_is_killed_and_costs_no_request(
    project: Project, caller: Caller, greens: Greens, champion: str
) -> None:
    with load(HOT_PORT, "/health/live") as clients:
        green = greens.copy_of(champion)
        stopped = greens.scorer_pid(green)
        os.kill(stopped, signal.SIGSTOP)
        assert caller.model() == champion
        becomes(project, green, "champion")  # a second scorer of it
        assert greens.scorer_pid(green) != stopped
        clients.more(50)
    assert not clients.failed


def test_green_that_dies_costs_nothing_before_it_accepts_and_its_own_connections_afterwards(
    project: Project, caller: Caller, greens: Greens, champion: str
) -> None:
    with load(HOT_PORT, "/health/live") as clients:
        green = greens.copy_of(champion)
        project.kill(greens.container_of(green))
        assert caller.model() == champion
        becomes(project, green, "champion")
        clients.more(50)
        assert not clients.failed
        project.kill(greens.container_of(green))
        clients.more(50)
    print(f"\na green that accepts was killed, failed: {dict(clients.failed)}")
    assert clients.failed.total() <= clients.connections
    assert not [why for why in clients.failed if "Refused" in why], "the address is there all the time"
    wait_for(lambda: caller.model() is not None, 120, "a model answers")
