"""Commands of people to a running rollout: one JSON object a connection, over `sockets/rollout-<pipeline>.sock`."""

from __future__ import annotations

import json
import os
import queue
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contract.unix_socket import listen, peer, unix_path

_MAX_BYTES: Final = 1 << 20
_TIMEOUT_S: Final = 60.0


class NoRollout(Exception):
    """Nobody answers at the rollout's socket; the message names it and the remedy."""


@dataclass(frozen=True)
class Command:
    """A command that waits for its answer."""

    request: dict[str, Any]
    _answer: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)

    def answer(self, reply: dict[str, Any]) -> None:
        self._answer.put(reply)

    def wait(self) -> dict[str, Any]:
        try:
            return self._answer.get(timeout=_TIMEOUT_S)
        except queue.Empty:
            return {"ok": False, "why": f"the rollout is busy for more than {_TIMEOUT_S:g} s; its log says with what"}


def socket_path(sockets_folder: Path, pipeline: str) -> Path:
    return sockets_folder / f"rollout-{pipeline}.sock"


def take_commands(path: Path) -> queue.SimpleQueue[Command]:
    """Listen, and give every command to the queue's reader; a dead rollout's socket file is replaced.

    Raises:
        OSError: the path cannot be bound.
    """
    server = listen(path, socket.SOCK_STREAM, backlog=16)
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(server, commands), name="commands", daemon=True).start()
    return commands


def ask_rollout(sockets_folder: Path, pipeline: str, request: dict[str, Any]) -> dict[str, Any]:
    """One command and its answer.

    Raises:
        NoRollout: no rollout of this pipeline runs here, or it went away.
    """
    path = socket_path(sockets_folder, pipeline)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(_TIMEOUT_S + 5)
        try:
            sock.connect(unix_path(path))
            sock.sendall(json.dumps(request).encode())
            sock.shutdown(socket.SHUT_WR)
            answer: dict[str, Any] = json.loads(_read(sock))
        except (OSError, ValueError) as error:
            remedy = f"start the stack with `hotpath up`, or `python -m serving.rollout.rollout {pipeline}`"
            raise NoRollout(f"no rollout of {pipeline} answers at {path} ({error}); {remedy}") from error
        return answer


def _listen(server: socket.socket, commands: queue.SimpleQueue[Command]) -> None:
    while True:
        sock, _ = server.accept()
        threading.Thread(target=_serve, args=(sock, commands), daemon=True).start()


def _serve(sock: socket.socket, commands: queue.SimpleQueue[Command]) -> None:
    with sock:
        sock.settimeout(_TIMEOUT_S)
        if peer(sock)[1] != os.getuid():
            return
        try:
            request = json.loads(_read(sock))
            if not isinstance(request, dict):
                raise ValueError("not a JSON object")
        except ValueError as error:
            sock.sendall(json.dumps({"ok": False, "why": f"a command that is no JSON object: {error}"}).encode())
            return
        command = Command(request)
        commands.put(command)
        sock.sendall(json.dumps(command.wait()).encode())


def _read(sock: socket.socket) -> bytes:
    received = bytearray()
    while len(received) <= _MAX_BYTES and (chunk := sock.recv(65536)):
        received += chunk
    return bytes(received)
