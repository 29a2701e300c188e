"""Deaths of the socket manager and of scorers: the hot address goes on answering."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from serving.listener.fd_passing import PeerGone
from tests.serving.hot_host import HotHost, get, kill
from tests.serving.load import load

pytestmark = pytest.mark.restarts


@pytest.fixture
def host() -> Iterator[HotHost]:
    with HotHost() as host:
        yield host


def test_a_killed_manager_takes_the_socket_back_from_a_live_scorer(host: HotHost) -> None:
    manager, blue = host.manager(), host.scorer("blue")
    assert host.switch("blue")["ok"]
    with load(host.port) as clients:
        for _ in range(2):
            kill(manager)
            clients.more(100)  # nobody needs the manager to be answered
            manager = host.manager()
            host.reaches({"blue": "accepting"})
        host.scorer("green")
        assert host.switch("green")["ok"]
        assert blue.wait(10) == 0
        clients.more(100)
    assert not clients.failed


def test_a_scorer_killed_before_it_accepts_costs_nothing(host: HotHost) -> None:
    host.manager()
    host.scorer("blue")
    assert host.switch("blue")["ok"]
    with load(host.port) as clients:
        for name in ("g1", "g2"):
            kill(host.scorer(name))
            answer = host.switch(name)
            assert not answer["ok"]
            assert name in answer["why"]
            clients.more(100)
    assert not clients.failed
    assert set(clients.answered) == {"200 blue"}


def test_blue_is_called_back_when_green_dies_within_the_watch_time(host: HotHost) -> None:
    host.manager()
    host.scorer("blue")
    assert host.switch("blue")["ok"]
    green = host.scorer("green")
    assert host.switch("green", stay_s=30)["ok"]
    host.reaches({"blue": "draining", "green": "accepting"})
    kill(green)
    host.reaches({"blue": "accepting"})
    assert get(host.port, "/") == (200, "blue")


def test_of_two_that_drain_the_one_that_served_last_is_called_back(host: HotHost) -> None:
    host.manager()
    scorers = {name: host.scorer(name) for name in ("blue", "green", "red")}
    for name in scorers:
        assert host.switch(name, stay_s=30)["ok"]
    host.reaches({"blue": "draining", "green": "draining", "red": "accepting"})
    kill(scorers["red"])
    host.reaches({"blue": "draining", "green": "accepting"})
    assert get(host.port, "/") == (200, "green")


def test_a_second_manager_refuses_to_start(host: HotHost) -> None:
    host.manager()
    second = host.start("-m", "serving.listener.socket_manager", env={"HOTPATH_METRICS_PORT": "0"})
    assert second.wait(15) == 1
    assert "another socket manager runs" in host.said()


def test_a_manager_killed_in_mid_switch_is_replaced_by_one_that_finishes_it(host: HotHost) -> None:
    manager, blue = host.manager(), host.scorer("blue")
    assert host.switch("blue")["ok"]
    green = host.scorer("green")
    with load(host.port) as clients:
        clients.more(100)
        green.send_signal(signal.SIGSTOP)  # holds the switch between passing the socket and green's answer
        switching = threading.Thread(target=_switch_that_breaks_off, args=(host, "green"))
        switching.start()
        host.waits(lambda: "to=green" not in host.said() and switching.is_alive(), "the switch is under way")
        kill(manager)
        switching.join(10)
        green.send_signal(signal.SIGCONT)
        host.manager()
        host.waits(lambda: {"blue", "green"} <= host.states().keys(), "both are back")
        assert host.switch("green")["ok"]
        assert blue.wait(10) == 0
        clients.more(100)
    assert not clients.failed
    assert host.states() == {"green": "accepting"}


def _switch_that_breaks_off(host: HotHost, to: str) -> None:
    with pytest.raises(PeerGone):
        host.switch(to)
