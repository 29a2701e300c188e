"""What the socket manager promises: the hot address answers through switches, restarts and deaths."""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator

import pytest
from fastapi import Request

from contract.messages.listener import decode_order
from serving.listener.admin_proxy import _target
from serving.listener.fd_passing import ListenerError, PeerGone, connect, receive
from serving.listener.socket_manager import admin_listener
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
    assert "closed_by_deadline=1" in host.said()


def test_a_newly_deployed_pipeline_is_taken_up_without_a_restart(host: HotHost) -> None:
    host.manager()
    address = free_port()
    (host.data / "pipelines" / "late.address").write_text(f"127.0.0.1:{address}\n")
    (host.data / "pipelines" / "late.toml").touch()
    until(lambda: "socket held pipeline=late" in host.said(), 10, "the new pipeline's socket")
    assert host.ask(pipeline="late", do="state")["held"]


NONSENSE = (
    b"no JSON",
    b"[1]",
    b'{"role": "scorer"}',
    b'{"role": "scorer", "pipeline": "p", "name": "../up", "state": "standby"}',
    b'{"role": "scorer", "pipeline": "p", "name": "blue", "state": "asleep"}',
    b'{"role": "rollout", "pipeline": "p", "do": "dance"}',
    b'{"role": "rollout", "pipeline": "p", "do": "switch", "to": "blue", "drain_s": "10", "stay_s": 0}',
    b'{"role": "rollout", "pipeline": "p", "do": "state", "door": "back"}',
    b'{"role": "rollout", "pipeline": "p", "do": "state", "v": 99}',
    b'{"role": "rollout", "pipeline": "q", "do": "state"}',
    b"[" * 60_000,
)


def test_a_message_that_cannot_be_read_is_named_and_counted_and_ends_that_connection_alone(host: HotHost) -> None:
    host.manager()
    host.scorer("blue")
    assert host.switch("blue")["ok"]
    for nonsense in NONSENSE:
        with connect(host.sockets / "manager.sock", 20) as sock:
            sock.send(nonsense)
            with pytest.raises(PeerGone):
                receive(sock, decode_order)
    assert "a message cannot be read: Expected `str` matching regex" in host.said(20_000)
    assert "no door back of a pipeline p is deployed here" in host.said(20_000)
    problems = 'hotpath_problems_total{part="socket_manager"}'
    assert f"{problems} {len(NONSENSE)}.0" in get(host.admin_port, "/metrics")[1]
    assert host.states() == {"blue": "accepting"}
    assert get(host.port, "/") == (200, "blue")


def test_a_scorer_and_a_rollout_of_the_previous_version_are_understood(host: HotHost) -> None:
    host.manager()
    with connect(host.sockets / "manager.sock", 20) as scorer, connect(host.sockets / "manager.sock", 20) as rollout:
        scorer.send(b'{"role": "scorer", "name": "old", "pipeline": "p", "model": null, "state": "standby"}')
        host.reaches({"old": "standby"})
        rollout.send(b'{"role": "rollout", "pipeline": "p", "do": "switch", "to": "old", "drain_s": 10, "stay_s": 0.0}')
        (order, fd) = receive(scorer, json.loads)
        assert order["do"] == "accept"
        assert fd is not None
        os.close(fd)
        scorer.send(b'{"role": "scorer", "name": "old", "pipeline": "p", "model": null, "state": "accepting"}')
        assert receive(rollout, json.loads)[0].items() >= {"ok": True, "why": None}.items()
        rollout.send(b'{"role": "rollout", "pipeline": "p", "do": "state"}')
        state = receive(rollout, json.loads)[0]
        assert (state["held"], state["scorers"][0]["name"], state["scorers"][0]["state"]) == (True, "old", "accepting")
        host.scorer("new")
        rollout.send(b'{"role": "rollout", "pipeline": "p", "do": "switch", "to": "new", "drain_s": 10, "stay_s": 2.5}')
        order = receive(scorer, json.loads)[0]
        assert (order["do"], order["deadline_s"], order["stay_s"]) == ("drain", 10.0, 2.5)


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
    assert host.ask(do="leave", name="blue")["why"] == "blue is accepting"
    assert host.ask(do="leave", name="nobody")["why"] == "nobody is not connected"
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


def test_the_address_of_a_removed_pipeline_is_let_go_with_its_last_scorer(host: HotHost) -> None:
    host.manager()
    blue = host.scorer("blue")
    assert host.switch("blue")["ok"]
    (host.data / "pipelines" / "removed").mkdir()
    (host.data / "pipelines" / "p.toml").rename(host.data / "pipelines" / "removed" / "p.toml")
    assert get(host.port, "/") == (200, "blue")
    kill(blue)

    def refused() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", host.port)) == errno.ECONNREFUSED

    until(refused, 20, "nobody listens there any more")


def test_an_admin_address_that_is_taken_is_named_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenerError, match=f"admin address 127.0.0.1:{port} is not free.*set HOTPATH_ADMIN"):
            admin_listener("127.0.0.1", port)


def test_a_path_that_is_not_ascii_is_forwarded_as_it_came() -> None:
    request = Request({"type": "http", "method": "GET", "path": "/x", "query_string": b"a=%C3%A9", "headers": []})
    assert _target("é/ü x?", request) == b"/%C3%A9/%C3%BC%20x%3F?a=%C3%A9"
