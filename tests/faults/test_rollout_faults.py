"""Deaths around the rollout: whoever is killed, and whenever, one model serves in the end and the records agree."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.candidates.state_store import read_states
from tests.serving.hot_host import kill
from tests.serving.load import load
from tests.serving.local_candidates import version
from tests.serving.rollout_host import RolloutHost

pytestmark = pytest.mark.restarts

KILLED_AT = Path(__file__).with_name("rollout_killed_at.py")
KILL_POINTS = [
    ("unrecorded", "Register"),
    ("before", "Admit"),
    ("unrecorded", "Admit"),
    ("unrecorded", "Start"),
    ("after", "Start"),
    ("after", "Probe"),
    ("after", "Switch"),
    ("unrecorded", "Promote"),
    ("after", "Promote"),
]
"""Where the rollout dies: before a step, after it, or when the world has changed and the record has not."""

AT_REST = "action=Wait("
"""What a rollout logs that has nothing to do."""


@pytest.fixture
def host() -> Iterator[RolloutHost]:
    with RolloutHost() as host:
        host.manager()
        yield host


@pytest.mark.parametrize("points", [KILL_POINTS[::2], KILL_POINTS[1::2]], ids=["one half", "the other"])
def test_a_rollout_killed_at_any_step_leaves_what_its_successor_can_finish(
    host: RolloutHost, points: list[tuple[str, str]]
) -> None:
    rollout = host.rollout()
    host.becomes({host.candidate(0): "champion"})
    with load(host.port, "/health/live") as clients:
        for number, (when, step) in enumerate(points, 1):
            kill(rollout)
            doomed = host.start(str(KILLED_AT), "p", when, step)
            newest = host.candidate(number)
            assert doomed.wait(60) == -signal.SIGKILL, f"{when} {step}: {host.said()}"
            rollout = host.rollout()
            host.becomes({newest: "champion", version(number - 1): "retired"})
            assert host.serving() == [newest], f"{when} {step}"
            states = read_states(host.places.onprem_folder("p"))
            champions = [m.version for m in states.models.values() if m.state == "champion"]
            assert champions == [newest], f"{when} {step}"
            clients.more(50)
    assert not clients.failed
    host.waits(lambda: len(host.states()) == 1, "nobody but the champion's scorer is left", 30)


def test_a_pinned_version_stays_until_it_is_unpinned(host: RolloutHost) -> None:
    host.rollout()
    host.serves(host.candidate(1))
    host.serves(host.candidate(2))
    host.becomes({version(2): "champion", version(1): "retired"})
    assert host.command(do="rollback", why="two is odd")["ok"]
    host.becomes({version(1): "champion!", version(2): "retired"})
    pinned = host.command(do="show", version=version(1))["model"]
    assert (pinned["who"], pinned["why"]) == ("ann", "two is odd")
    host.candidate(3)
    host.becomes({version(3): "admitted", version(1): "champion!"})
    assert host.serving() == [version(1)]
    assert host.command(do="unpin")["ok"]
    host.becomes({version(3): "champion", version(1): "retired"})


def test_blue_is_back_when_green_dies_within_the_watch_time(host: RolloutHost) -> None:
    host.rollout()
    host.serves(host.candidate(1))
    host.serves(host.candidate(2))
    host.becomes({version(2): "champion"})
    os.kill(host.scorer_pid(version(2)), signal.SIGKILL)
    host.becomes({version(1): "champion", version(2): "retired"})
    assert host.serving() == [version(1)]


def test_after_a_kill_of_everything_the_champion_serves_again_without_broker_or_cloud(host: RolloutHost) -> None:
    rollout = host.rollout()
    first = host.candidate(1)
    host.becomes({first: "champion"})
    os.kill(host.scorer_pid(first), signal.SIGKILL)
    kill(rollout)
    kill(host.processes[0])
    host.manager()
    host.rollout()
    host.serves(first)


def test_a_restarted_rollout_adopts_the_live_scorer(host: RolloutHost) -> None:
    rollout = host.rollout()
    first = host.candidate(1)
    host.becomes({first: "champion"})
    pid = host.scorer_pid(first)
    kill(rollout)
    before = host.said(10**9).count(AT_REST)
    host.rollout()
    host.waits(lambda: host.said(10**9).count(AT_REST) > before, "the new rollout has nothing to do")
    assert host.scorer_pid(first) == pid, "nobody killed it or started another"
    host.becomes({host.candidate(2): "champion", first: "retired"})
