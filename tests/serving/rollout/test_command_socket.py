"""The rollout's socket: a client that is slow, talks too much or makes no sense harms nobody but itself."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contract.messages.codec import decode
from contract.messages.operator_commands import ListModels, Reply, UnpinCommand
from contract.unix_socket import unix_path
from serving.rollout import command_socket
from serving.rollout.command_socket import MOST_BYTES, MOST_CONNECTIONS, NoRollout, ask_rollout, socket_path
from serving.rollout.pending_commands import Asked, Ordered, Pending
from tests.waiting import until


@pytest.fixture(scope="module")
def sockets() -> Iterator[Path]:
    """A folder with the socket of a rollout that answers every request with the request's own text."""
    with TemporaryDirectory() as folder:
        pending: Pending = queue.SimpleQueue()
        command_socket.take_commands(socket_path(Path(folder), "p"), pending)
        threading.Thread(target=answer_all, args=(pending,), daemon=True).start()
        yield Path(folder)
        pending.put(Ordered(None, 0))


def answer_all(pending: Pending) -> None:
    while isinstance(asked := pending.get(), Asked):
        asked.answer(Reply(ok=True, why=str(asked.request)))


def connected(sockets: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(20)
    client.connect(unix_path(socket_path(sockets, "p")))
    return client


def said(client: socket.socket, content: bytes) -> Reply:
    with client:
        client.sendall(content)
        client.shutdown(socket.SHUT_WR)
        return decode(b"".join(iter(lambda: client.recv(65536), b"")), Reply)


def test_a_request_is_answered(sockets: Path) -> None:
    assert ask_rollout(sockets, "p", UnpinCommand(who="ann")).why == str(UnpinCommand(who="ann"))
    with pytest.raises(NoRollout, match="no rollout of q answers"):
        ask_rollout(sockets, "q", ListModels())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "truncated"),
        (b"not json", "malformed"),
        (b"[]", "Expected `object`"),
        (b'{"do": "dance"}', "Invalid value 'dance' - at `$.do`"),
        (b'{"do": "promote", "who": "ann"}', "missing required field `version`"),
        (b'{"do": "promote", "who": "ann", "version": 1}', "Expected `str`"),
        (b'{"do": "unpin", "who": "ann", "why": "' + b"x" * 1001 + b'"}', "length <= 1000"),
        (b'{"do": "unpin", "who": "\\ud800"}', ""),
        (b'{"do": "list", "v": 2}', "version 2"),
        (b'{"do": ' + b"[" * 60_000, ""),
    ],
)
def test_what_is_no_request_is_refused_in_words(sockets: Path, content: bytes, why: str) -> None:
    reply = said(connected(sockets), content)
    assert not reply.ok
    assert f"no such command: {why}"[: len("no such command: ")] in str(reply.why)
    assert why in str(reply.why)


def test_a_request_that_is_too_long_is_refused_before_it_ends(sockets: Path) -> None:
    with connected(sockets) as client:
        client.sendall(b" " * (MOST_BYTES + 1))
        assert f"longer than {MOST_BYTES} bytes" in str(decode(client.recv(65536), Reply).why)


def test_clients_that_say_nothing_are_let_go_and_the_next_one_is_served(
    sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_socket, "REQUEST_WITHIN_S", 0.2)
    silent = [connected(sockets) for _ in range(MOST_CONNECTIONS)]
    assert ask_rollout(sockets, "p", ListModels()).ok
    for client in silent:
        with client:
            assert "it was not complete within 0.2 s" in str(decode(client.recv(65536), Reply).why)


def test_beyond_the_limit_nobody_is_accepted_until_one_closes(sockets: Path) -> None:
    silent = [connected(sockets) for _ in range(MOST_CONNECTIONS)]
    until(lambda: len(serving()) == MOST_CONNECTIONS, 10, "all are being served")
    late = connected(sockets)
    late.sendall(b'{"do": "list"}')
    late.shutdown(socket.SHUT_WR)
    assert len(serving()) == MOST_CONNECTIONS
    for client in silent:
        client.close()
    with late:
        assert decode(late.recv(65536), Reply).ok


def serving() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "command"]
