"""What goes back to a caller: a status, JSON, and the headers that belong to it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Final

from serving.http.request import Send
from serving.prediction.problems import MEDIA_TYPE, Problem

Headers = tuple[tuple[bytes, bytes], ...]

_RETRY_S: Final = 5
"""What `Retry-After` says while there is no model: about as long as an admission takes."""


@dataclass(frozen=True)
class Reply:
    """An answer or a problem, ready to be sent."""

    status: int
    body: bytes
    media_type: bytes = b"application/json"
    headers: Headers = ()

    leaves_body: bool = False
    """The caller may still be sending its body; the reply ends the connection."""

    async def send(
        self, send: Send, *more: tuple[bytes, bytes], before_end: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Send all of it; with `before_end`, await that before the response counts as ended."""
        own = ((b"content-type", self.media_type), (b"content-length", b"%d" % len(self.body)))
        start = {"type": "http.response.start", "status": self.status, "headers": [*own, *self.headers, *more]}
        await send(start)
        await send({"type": "http.response.body", "body": self.body, "more_body": before_end is not None})
        if before_end is not None:
            await before_end()
            await send({"type": "http.response.body", "body": b""})


def answered(content: Mapping[str, Any]) -> Reply:
    """200 with a JSON object."""
    return Reply(200, json.dumps(content, ensure_ascii=False, allow_nan=False).encode())


def refused(problem: Problem, headers: Headers = ()) -> Reply:
    """A problem document."""
    return Reply(problem.status, problem.body(), MEDIA_TYPE, headers)


def too_large(detail: str) -> Reply:
    """413 that ends the connection: the rest of the body is not worth reading."""
    refusal = refused(Problem(413, detail), ((b"connection", b"close"),))
    return replace(refusal, leaves_body=True)


def not_encoded_so(encoding: bytes) -> Reply:
    """415 for a `Content-Encoding`; `Accept-Encoding` says what is taken, as RFC 9110 has it."""
    detail = f"Content-Encoding {encoding.decode('latin-1')!r} is not taken; send the body as it is"
    return refused(Problem(415, detail), ((b"accept-encoding", b"identity"),))


def not_allowed(method: str, allowed: str) -> Reply:
    detail = f"{method} is not answered here; use {allowed}"
    return refused(Problem(405, detail), ((b"allow", allowed.encode()),))


def no_model(pipeline: str) -> Reply:
    detail = f"no model of {pipeline} has been admitted yet; `hotpath status` says what it waits for"
    return refused(Problem(503, detail), retry_after(_RETRY_S))


def retry_after(seconds: float) -> Headers:
    return ((b"retry-after", b"%d" % max(1, ceil(seconds))),)
