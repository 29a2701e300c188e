"""A caller that sends bytes over TCP and reads HTTP/1.1 responses, so that a test decides about every byte."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Address:
    """Where a scorer answers, and a key that it knows: all that these tests know of it."""

    host: str
    port: int
    key: str
    predict: str
    """The path that predicts."""
    question: bytes
    """A body that is answered with 200."""
    body_limit: int
    """The largest body, in bytes."""

    def head(
        self,
        *lines: str,
        method: str = "POST",
        path: str | None = None,
        version: str = "1.1",
        host: bool = True,
    ) -> bytes:
        """A request's head with the key; `lines` are further headers, without line ends."""
        first = f"{method} {path or self.predict} HTTP/{version}"
        all_lines = [first, *(["Host: scorer"] if host else []), f"Authorization: Bearer {self.key}", *lines]
        return "".join(f"{line}\r\n" for line in [*all_lines, ""]).encode()

    def ask(self, *lines: str, body: bytes | None = None, **first_line: Any) -> bytes:
        """A whole request with its stated length."""
        content = self.question if body is None else body
        return self.head(f"Content-Length: {len(content)}", *lines, **first_line) + content


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        """The last part of the problem document's type."""
        assert self.headers["content-type"] == "application/problem+json"
        return str(json.loads(self.body)["type"]).rpartition(":")[2]

    @property
    def detail(self) -> str:
        return str(json.loads(self.body)["detail"])


class Connection:
    """One TCP connection to an address."""

    def __init__(self, address: Address) -> None:
        self._socket = socket.create_connection((address.host, address.port), PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def send(self, *pieces: bytes) -> Self:
        for piece in pieces:
            self._socket.sendall(piece)
        return self

    def response(self, *, to_head: bool = False) -> Response:
        """The next response, an interim one (1xx) too. One to HEAD has no body, whatever length it states."""
        status_line = self._reader.readline()
        assert status_line.startswith(b"HTTP/1.1 "), f"no response but {status_line!r}"
        headers = dict(self._headers())
        status = int(status_line.split()[1])
        length = 0 if to_head or status < 200 else int(headers["content-length"])
        return Response(status, headers, self._reader.read(length))

    def asks(self, request: bytes) -> Response:
        return self.send(request).response()

    def is_closed(self, within_s: float = PATIENCE_S) -> bool:
        """Whether the other end closes it within the time, after nothing or after a refusal."""
        self._socket.settimeout(within_s)
        try:
            rest = self._reader.read()
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return rest == b"" or rest.startswith(b"HTTP/1.1 4")

    def is_silent(self, for_s: float) -> bool:
        """Whether nothing comes for so long, not even the end."""
        return not select.select([self._socket], [], [], for_s)[0]

    def _headers(self) -> Iterable[tuple[str, str]]:
        while line := self._reader.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            yield name.lower(), value.strip()
