"""A scorer that is short of descriptors answers what is open, and accepts again once it has some: a real scorer."""

from __future__ import annotations

import os
import resource
import select
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from serving.listener.accept_loop import RESERVED_DESCRIPTORS
from tests.serving.http.conftest import serving_address
from tests.serving.http.raw_client import Address, Connection
from tests.serving.scoring_host import ScoringHost
from tests.waiting import until

ROOM = 10
"""So many more connections than it has, a scorer of these tests may open."""


@pytest.fixture(scope="module")
def host() -> Iterator[ScoringHost]:
    with ScoringHost() as host:
        yield host


@pytest.fixture(scope="module")
def address(host: ScoringHost) -> Address:
    return serving_address(host)


@pytest.fixture
def pid(address: Address, host: ScoringHost) -> int:
    return host.processes[0].pid


@contextmanager
def descriptors(pid: int, most: int) -> Iterator[None]:
    """Let a process open descriptors up to this number."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def in_use(pid: int) -> int:
    return max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))


def all_answer(connections: list[Connection], address: Address) -> bool:
    return all(connection.asks(address.ask()).status == 200 for connection in connections)


def parted(callers: list[Connection]) -> tuple[list[Connection], list[Connection]]:
    """Those that have been answered, at least one, and those that wait."""
    answered = select.select(callers, [], [], 20)[0]
    while len(more := select.select(callers, [], [], 0.2)[0]) > len(answered):
        answered = more
    return answered, [caller for caller in callers if caller not in answered]


def test_beyond_its_descriptors_callers_wait_and_open_connections_are_answered(
    address: Address, pid: int, host: ScoringHost
) -> None:
    with descriptors(pid, in_use(pid) + 1 + ROOM + RESERVED_DESCRIPTORS), ExitStack() as stack:
        callers = [stack.enter_context(Connection(address)) for _ in range(4 * ROOM)]
        for caller in callers:
            caller.send(address.ask())
        until(lambda: "accepting paused" in host.said(), 20, "the scorer is short of descriptors")
        answered, waiting = parted(callers)
        assert 0 < len(answered) <= 2 * ROOM
        assert [caller.response().status for caller in answered] == [200] * len(answered)
        assert all_answer(answered * 3, address)
        while waiting:
            for caller in answered:
                caller.close()
            answered, waiting = parted(waiting)
            assert [caller.response().status for caller in answered] == [200] * len(answered)


def test_without_any_descriptor_it_goes_on_and_takes_the_address_back_later(
    address: Address, pid: int, host: ScoringHost
) -> None:
    with ExitStack() as stack:
        callers = [stack.enter_context(Connection(address)) for _ in range(3)]
        assert all_answer(callers, address)
        with descriptors(pid, 3):
            late = stack.enter_context(Connection(address)).send(address.ask())
            host.switch("only")
            host.waits(lambda: "descriptor did not arrive" in host.said(), "the socket does not reach it")
            assert all_answer(callers * 10, address)
            assert late.is_silent(0.3)
        assert late.response().status == 200
        host.waits(lambda: host.switch("only")["ok"], "it is connected again")
        assert all_answer(callers, address)
    assert host.processes[0].poll() is None
