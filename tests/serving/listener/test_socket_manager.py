"""What the socket manager promises: the hot address answers through switches, restarts and deaths."""

from __future__ import annotations

import http.client
import json
import stat
import threading
from collections.abc import Iterator

import pytest

from serving.listener.fd_passing import PeerGone, connect, receive, send
from tests.serving.hot_host import HotHost, free_port, get, kill
from tests.serving.load import load
from tests.waiting import until


@pytest.fixture
def host() -> Iterator[HotHost]:
    with HotHost() as host:
        yield host


def test_a_switch_under_load_fails_no_request(host: HotHost) -> None:
    host.manager()
    current = host.scorer("blue")
    assert host.switch("blue")["ok"]
    with load(host.port) as clients:
        for name in ("green", "red"):
            clients.more(200)
            fresh = host.scorer(name)
            assert host.switch(name)["ok"]
            assert current.wait(10) == 0, "a drained scorer leaves by itself"
            current = fresh
        clients.more(200)
    assert not clients.failed
    assert {"200 blue", "200 green", "200 red"} == set(clients.answered)


def test_requests_wait_in_the_queue_while_no_scorer_lives(host: HotHost) -> None:
    host.manager()
    blue = host.scorer("blue")
    assert host.switch("blue")["ok"]
    kill(blue)
    answers: list[tuple[int, str]] = []
    waiting = [threading.Thread(target=lambda: answers.append(get(host.port, "/"))) for _ in range(20)]
    for thread in waiting:
        thread.start()
    host.scorer("green")
    assert not answers
    assert host.switch("green")["ok"]
    for thread in waiting:
        thread.join(10)
    assert answers == [(200, "green")] * 20


def test_the_deadline_closes_what_stays_open_and_counts_it(host: HotHost) -> None:
    host.manager()
    blue = host.scorer("blue")
    assert host.switch("blue")["ok"]
    idle = http.client.HTTPConnection("127.0.0.1", host.port, timeout=10)
    idle.request("GET", "/")
    assert idle.getresponse().read() == b"blue"
    host.scorer("green")
    assert host.switch("green", drain_s=0.3)["ok"]
    assert blue.wait(10) == 0
    assert "1 connections closed by the deadline" in host.said()


def test_a_newly_deployed_pipeline_is_taken_up_without_a_restart(host: HotHost) -> None:
    host.manager()
    address = free_port()
    (host.data / "pipelines" / "late.address").write_text(f"127.0.0.1:{address}\n")
    (host.data / "pipelines" / "late.toml").touch()
    until(lambda: "late: socket of" in host.said(), 10, "the new pipeline's socket")
    assert host.ask(pipeline="late", do="state")["held"]


def test_a_message_that_is_nonsense_ends_that_connection_and_nothing_else(host: HotHost) -> None:
    host.manager()
    for nonsense in ({"role": "scorer"}, {"role": "rollout", "pipeline": "p", "do": "dance"}, {"pipeline": "q"}):
        with connect(host.sockets / "manager.sock") as sock:
            send(sock, nonsense)
            with pytest.raises(PeerGone):
                receive(sock)
    assert host.state() == {"ok": True, "held": True, "scorers": []}


def test_the_admin_address_lists_scorers_and_leads_to_each(host: HotHost) -> None:
    host.manager()
    host.scorer("blue", "m1")
    host.scorer("green", "m2")
    assert get(host.admin_port, "/pipelines/p/state")[0] == 503
    assert host.switch("green")["ok"]
    status, body = get(host.admin_port, "/scorers")
    listed = {scorer["name"]: (scorer["pipeline"], scorer["model"], scorer["state"]) for scorer in json.loads(body)}
    assert (status, listed) == (200, {"blue": ("p", "m1", "standby"), "green": ("p", "m2", "accepting")})
    assert get(host.admin_port, "/scorers/blue/metrics") == (200, "blue")
    assert get(host.admin_port, "/pipelines/p/metrics") == (200, "green")
    assert get(host.admin_port, "/scorers/nobody/metrics")[0] == 404
    assert "/pipelines/p/docs" in json.loads(get(host.admin_port, "/")[1])["pipelines"]["p"]
    assert "hotpath_serving_switches" in get(host.admin_port, "/metrics")[1]


def test_only_a_scorer_that_serves_nobody_can_be_told_to_leave(host: HotHost) -> None:
    host.manager()
    assert stat.S_IMODE((host.sockets / "manager.sock").stat().st_mode) == 0o600
    blue, green = host.scorer("blue"), host.scorer("green")
    assert host.switch("blue")["ok"]
    assert host.ask(do="leave", name="blue") == {"ok": False, "why": "blue is accepting"}
    assert host.ask(do="leave", name="nobody") == {"ok": False, "why": "nobody is not connected"}
    assert host.ask(do="leave", name="green")["ok"]
    assert green.wait(10) == 0
    assert blue.poll() is None
    assert get(host.port, "/") == (200, "blue")


def test_told_to_stop_it_ends_well_and_the_scorers_serve_on(host: HotHost) -> None:
    manager = host.manager()
    host.scorer("blue")
    assert host.switch("blue")["ok"]
    assert get(host.admin_port, "/scorers")[0] == 200
    manager.terminate()
    assert manager.wait(10) == 0
    assert get(host.port, "/") == (200, "blue")
