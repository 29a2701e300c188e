"""Errors as RFC 9457 problem documents, each of which lists every problem with its field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

TITLES: Final = {
    400: ("bad-request", "The body is not JSON, or the request not HTTP/1.1"),
    401: ("unauthorized", "The key is missing or not known"),
    404: ("not-found", "There is nothing at this address"),
    405: ("method-not-allowed", "This address does not take this method"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-encoding", "The body has a Content-Encoding that is not taken"),
    422: ("unprocessable", "The question cannot be answered as it was asked"),
    429: ("too-many-requests", "This key asks too often"),
    500: ("internal", "The scorer failed"),
    503: ("no-model", "There is no model yet"),
}
"""Status -> (end of the type's URN, title). The type of an error never changes."""

DRAINING: Final = ("draining", "This scorer stops; another one serves")
"""The other type of a 503: to the readiness check of a scorer that drains."""

MOST_LISTED: Final = 100
"""So many errors are in a document; more are no help, and a hostile body could ask for a million."""

MEDIA_TYPE: Final = b"application/problem+json"


@dataclass(frozen=True)
class Fault:
    """One thing that was wrong: `code` is for programs, `detail` for people; `field` of the body or query, or None."""

    code: str
    field: str | None
    detail: str
    at_byte: int | None = None
    """Where in the body, from 0."""


@dataclass(frozen=True)
class Problem:
    """What is sent instead of an answer."""

    status: int
    detail: str
    faults: tuple[Fault, ...] = ()
    kind: tuple[str, str] | None = None
    """End of the type's URN and title, where they are not those of the status."""

    def document(self) -> dict[str, Any]:
        urn, title = self.kind or TITLES[self.status]
        return {
            "type": f"urn:hotpath:problem:{urn}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "errors": [vars(fault) for fault in self.faults[:MOST_LISTED]],
        }

    def body(self) -> bytes:
        return json.dumps(self.document(), ensure_ascii=False, allow_nan=False).encode()


def problem_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) that every problem document holds to."""
    fault = {
        "code": {"type": "string"},
        "field": {"type": ["string", "null"]},
        "detail": {"type": "string"},
        "at_byte": {"type": ["integer", "null"], "minimum": 0},
    }
    members = {
        "type": {"type": "string", "pattern": "^urn:hotpath:problem:[a-z-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": _closed(fault)},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_closed(members)}


def _closed(members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members)}
