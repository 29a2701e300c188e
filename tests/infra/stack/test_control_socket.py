"""The supervisor's control socket: requests are answered in order to their `code`; what cannot be read is refused."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from contract import unix_socket
from infra.stack import control_socket

T = TypeVar("T")


async def answer(request: control_socket.Message) -> AsyncIterator[control_socket.Message]:
    yield {"say": f"doing {request['do']}"}
    yield {"code": 0}


def with_server(path: Path, ask: Callable[[], T]) -> T:
    """What `ask` gives in a thread while a server listens at `path`."""

    async def served() -> T:
        async with await control_socket.serve(path, answer):
            return await asyncio.to_thread(ask)

    return asyncio.run(served())


def test_a_request_is_answered_to_its_code_and_only_the_user_may_connect(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.touch()  # as a supervisor leaves it that was killed

    def asked() -> tuple[list[control_socket.Message], int]:
        return list(control_socket.ask(path, {"do": "down"})), stat.S_IMODE(path.stat().st_mode)

    assert with_server(path, asked) == ([{"say": "doing down"}, {"code": 0}], 0o600)


@pytest.mark.parametrize("line", [b"not json", b"[]", b"{}", b'{"do": 1}', b"[" * 60_000, b"\xff"])
def test_a_request_that_cannot_be_read_is_refused_and_the_next_one_answered(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "control.sock"

    def asked() -> tuple[bytes, list[control_socket.Message]]:
        with unix_socket.connect(path, socket.SOCK_STREAM, 20) as connection:
            connection.sendall(line + b"\n")
            refused = connection.makefile("rb").read()
        return refused, list(control_socket.ask(path, {"do": "status"}))

    refused, answered = with_server(path, asked)
    assert b"the request cannot be read" in refused
    assert answered[-1] == {"code": 0}


def test_without_a_supervisor_the_caller_is_told_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(control_socket.NotRunning, match="hotpath up"):
        list(control_socket.ask(tmp_path / "control.sock", {"do": "status"}))


def test_a_request_that_the_disk_refuses_is_told_and_the_next_one_answered(tmp_path: Path) -> None:
    async def refused(request: control_socket.Message) -> AsyncIterator[control_socket.Message]:
        if request["do"] == "deploy":
            raise OSError(28, "No space left on device")
        yield {"code": 0}

    path = tmp_path / "control.sock"

    async def served() -> list[list[control_socket.Message]]:
        async with await control_socket.serve(path, refused):
            requests = [{"do": "deploy"}, {"do": "status"}]
            return await asyncio.to_thread(lambda: [list(control_socket.ask(path, each)) for each in requests])

    first, second = asyncio.run(served())
    assert (first[-1]["code"], "No space left" in first[-1]["say"], second) == (1, True, [{"code": 0}])
