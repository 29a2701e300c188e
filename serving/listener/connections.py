"""The open connections of a listening socket, counted from outside whatever protocol serves them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress


class Connections:
    """Which connections are open, so that a draining scorer knows when it has none left."""

    def __init__(self, protocol_factory: Callable[[], asyncio.Protocol]) -> None:
        self._protocol_factory = protocol_factory
        self._open: set[asyncio.BaseTransport] = set()
        self._opening: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open) + len(self._opening)

    def open(self, sock: socket.socket) -> None:
        """Serve an accepted connection."""
        sock.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._serve(sock))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def close(self) -> int:
        """Close what is open, after what was already written; how many that were."""
        transports = list(self._open)
        for transport in transports:
            transport.close()
        return len(transports)

    async def _serve(self, sock: socket.socket) -> None:
        try:
            with suppress(OSError):  # the caller has closed it already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            watched = _Watched(self._protocol_factory(), self._open)
            await asyncio.get_running_loop().connect_accepted_socket(lambda: watched, sock)
        except OSError:
            sock.close()


class _Watched(asyncio.Protocol):
    def __init__(self, inner: asyncio.Protocol, open_: set[asyncio.BaseTransport]) -> None:
        self._inner, self._open = inner, open_
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._open.add(transport)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._open.discard(self._transport)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
