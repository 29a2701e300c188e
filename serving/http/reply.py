"""What goes back to a caller: a status, JSON, and the headers that belong to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
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

    async def send(self, send: Send, *more: tuple[bytes, bytes]) -> None:
        own = ((b"content-type", self.media_type), (b"content-length", b"%d" % len(self.body)))
        start = {"type": "http.response.start", "status": self.status, "headers": [*own, *self.headers, *more]}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


def answered(content: Mapping[str, Any]) -> Reply:
    """200 with a JSON object."""
    return Reply(200, json.dumps(content, ensure_ascii=False, allow_nan=False).encode())


def refused(problem: Problem, headers: Headers = ()) -> Reply:
    """A problem document."""
    return Reply(problem.status, problem.body(), MEDIA_TYPE, headers)


def not_allowed(method: str, allowed: str) -> Reply:
    detail = f"{method} is not answered here; use {allowed}"
    return refused(Problem(405, detail), ((b"allow", allowed.encode()),))


def no_model(pipeline: str) -> Reply:
    detail = f"no model of {pipeline} has been admitted yet; `hotpath status` says what it waits for"
    return refused(Problem(503, detail), retry_after(_RETRY_S))


def retry_after(seconds: float) -> Headers:
    return ((b"retry-after", b"%d" % max(1, ceil(seconds))),)
