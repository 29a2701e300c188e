"""The open connections of a listening socket, counted from outside whatever protocol serves them."""

from __future__ import annotations

import asyncio


class Connections:
    """Which connections are open, so that a draining scorer knows when it has none left."""

    def __init__(self) -> None:
        self._open: set[asyncio.BaseTransport] = set()

    def __len__(self) -> int:
        return len(self._open)

    def watch(self, protocol: asyncio.Protocol) -> asyncio.Protocol:
        """The same protocol, its connection counted while it lasts."""
        return _Watched(protocol, self._open)

    def close(self) -> int:
        """Close what is open, after what was already written; how many that were."""
        transports = list(self._open)
        for transport in transports:
            transport.close()
        return len(transports)


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
