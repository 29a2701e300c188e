"""Limits that keep an address free for callers that behave. The native listener is to hold them; uvicorn has none.

A caller that behaves asks beside each one that does not, and is answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.serving.http.conftest import serving_address
from tests.serving.http.raw_client import Address, Connection
from tests.serving.scoring_host import ScoringHost

CONNECTIONS = 8
"""How many the address of these tests accepts at once."""
WITHIN_S = 1.0
"""How long it waits for a head, for a body, and for the next request."""
LONGER_S = 2.0
SETTINGS = {
    "HOTPATH_MAX_CONNECTIONS": str(CONNECTIONS),
    "HOTPATH_HEAD_TIMEOUT": str(WITHIN_S),
    "HOTPATH_BODY_TIMEOUT": str(WITHIN_S),
    "HOTPATH_IDLE_TIMEOUT": str(WITHIN_S),
}
"""To be read by the native listener; a scorer of today has no such settings."""

until_the_native_listener = pytest.mark.xfail(strict=True, reason="uvicorn's protocol has no such limit")


@dataclass(frozen=True)
class Slow:
    """What became of callers that left the other end waiting; each was given longer than the limit."""

    closed: dict[str, bool]
    behaved: bool
    """Another caller was answered on one connection meanwhile."""


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    with ScoringHost() as host:
        yield serving_address(host, SETTINGS)


@pytest.fixture(scope="module")
def slow(address: Address) -> Slow:
    """All slow callers wait at the same time, so that these tests take the limit once."""
    begun = {
        "no byte": b"",
        "half a head": address.head()[:40],
        "half a body": address.ask()[:-5],
        "half a chunk": address.head("Transfer-Encoding: chunked") + b"ff\r\nhalf",
    }
    with ExitStack() as stack:
        behaves = stack.enter_context(Connection(address))
        callers = {name: stack.enter_context(Connection(address)).send(data) for name, data in begun.items()}
        callers["idle"] = stack.enter_context(Connection(address))
        callers["idle"].asks(address.ask())
        behaved = all(behaves.asks(address.ask()).status == 200 for _ in range(20))
        closed, left_s = {}, LONGER_S
        for name, caller in callers.items():
            closed[name] = caller.is_closed(left_s)
            left_s = 0.1
        return Slow(closed, behaved)


@until_the_native_listener
@pytest.mark.parametrize("caller", ["no byte", "half a head", "half a body", "half a chunk", "idle"])
def test_a_connection_that_leaves_the_other_end_waiting_is_closed(slow: Slow, caller: str) -> None:
    assert slow.behaved
    assert slow.closed[caller]


@until_the_native_listener
@pytest.mark.parametrize(
    "lines",
    [("X-Large: " + "x" * 1_000_000,), tuple(f"X-{number}: 1" for number in range(10_000))],
    ids=["1 MB", "10,000 headers"],
)
def test_a_head_that_is_too_large_is_a_431(address: Address, lines: tuple[str, ...]) -> None:
    with Connection(address) as connection:
        refused = connection.asks(address.ask(*lines))
        assert (refused.status, refused.headers["connection"]) == (431, "close")
    with Connection(address) as connection:
        assert connection.asks(address.ask(*(f"X-{number}: {'x' * 100}" for number in range(50)))).status == 200


@until_the_native_listener
def test_beyond_its_connections_none_is_accepted_until_one_closes(address: Address) -> None:
    with ExitStack() as stack:
        accepted = [stack.enter_context(Connection(address)) for _ in range(CONNECTIONS)]
        assert [connection.asks(address.ask()).status for connection in accepted] == [200] * CONNECTIONS
        waiting = stack.enter_context(Connection(address)).send(address.ask())
        assert waiting.is_silent(WITHIN_S / 2)
        assert accepted[1].asks(address.ask()).status == 200
        accepted[0].close()
        assert waiting.response().status == 200
