"""A scorer's hold on the hot address: how it drains, and that it stays when it is called back."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from prometheus_client import REGISTRY

from serving.listener.listener_client import ListenerClient

PIPELINE, ADDRESS = "p", ("127.0.0.1", 0)
PLENTY_S = 30.0


def listener() -> socket.socket:
    listening = socket.create_server(ADDRESS)
    listening.setblocking(False)
    return listening


def a_client(folder: Path, stopped: asyncio.Event) -> ListenerClient:
    """Without a socket manager: it is told what to do by the test."""
    return ListenerClient(folder, "blue", PIPELINE, ADDRESS, asyncio.Protocol, stopped.set)


def forced_closes() -> float:
    return REGISTRY.get_sample_value("hotpath_scorer_forced_closes_total") or 0.0


def test_a_scorer_that_is_called_back_does_not_leave_when_its_drain_would_have_ended(tmp_path: Path) -> None:
    async def called_back() -> None:
        stopped = asyncio.Event()
        client = a_client(tmp_path, stopped)
        client._accept(listener())
        client.drain(PLENTY_S)
        drain = client._drain
        assert drain is not None
        client._accept(listener())
        await asyncio.wait([drain], timeout=PLENTY_S)
        assert drain.cancelled()
        assert (client.state, stopped.is_set()) == ("accepting", False)
        client.drain(0.0)
        await stopped.wait()

    asyncio.run(called_back())


def test_a_drained_scorer_stays_warm_for_as_long_as_it_is_told(tmp_path: Path) -> None:
    async def stays() -> None:
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        client, begin = a_client(tmp_path, stopped), loop.time()
        client.drain(PLENTY_S, stay_s=0.7)
        await asyncio.wait_for(stopped.wait(), PLENTY_S)
        assert loop.time() - begin >= 0.7

    asyncio.run(stays())


def test_what_the_deadline_closes_is_counted(tmp_path: Path) -> None:
    async def closes() -> None:
        stopped, listening, before = asyncio.Event(), listener(), forced_closes()
        client = a_client(tmp_path, stopped)
        client._accept(listening)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        while not len(client.connections):
            await asyncio.sleep(0)
        client.drain(0.1)
        assert await reader.read() == b""
        await stopped.wait()
        writer.close()
        assert (client.closed_by_deadline, forced_closes() - before) == (1, 1)

    asyncio.run(closes())
