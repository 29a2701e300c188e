"""A request as the hot route sees it: a view on an ASGI scope, and its body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final

from serving.golden_header import GOLDEN_HEADER

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_GOLDEN: Final = GOLDEN_HEADER.encode()
_DISCARD_S: Final = 2.0


class BodyTooLarge(ValueError):
    """The body is above the limit; the message says which."""


class CallerLeft(ConnectionError):
    """The connection ended before the body did: there is nobody to answer."""


class Request:
    """One request: method, path and query as they came, headers by lower-case name (the last one counts)."""

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        server = scope.get("server")
        self.is_local = server is not None and server[1] is None
        """Whether it came by the scorer's own Unix socket."""

    def header(self, name: bytes) -> bytes | None:
        return self._headers.get(name)

    @property
    def is_golden(self) -> bool:
        """Whether the rollout tries this scorer: the header, at the Unix socket."""
        return self.is_local and self._headers.get(_GOLDEN) == b"1"

    @property
    def encoding(self) -> bytes | None:
        """The first `Content-Encoding` that is not taken: every one but `identity`."""
        stated = (token.strip().lower() for token in (self.header(b"content-encoding") or b"").split(b","))
        return next((token for token in stated if token not in (b"", b"identity")), None)

    async def body(self, receive: Receive, limit: int) -> bytes:
        """The whole body.

        Raises:
            BodyTooLarge: its stated length, or what has come of it, is above `limit` bytes.
            CallerLeft: the connection ended first.
        """
        chunks, size, more = [], int(self.header(b"content-length") or 0), True
        if size > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes")
        size = 0
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise CallerLeft(f"{self.path}: the caller left before its body ended")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge(f"the body is larger than {limit} bytes")
            chunks.append(chunk)
            more = message.get("more_body", False)
        return b"".join(chunks)


async def discard_body(receive: Receive, limit: int) -> None:
    """Read what a caller still sends of a body that was refused: `limit` bytes at most, for two seconds at most.

    A connection that is closed while unread bytes arrive is reset, and its caller may then never see the answer.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_S):
            size, more = 0, True
            while more and size <= limit:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
