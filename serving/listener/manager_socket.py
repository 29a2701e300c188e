"""The socket manager's Unix socket: who may connect, and what they say there."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contract import unix_socket
from contract.files import Locked, exclusive_lock
from contract.metrics import PROBLEMS
from contract.unix_socket import peer
from serving.listener.fd_passing import ListenerError, PeerGone, arrived, send
from serving.listener.listener_pool import ListenerPool

log = logging.getLogger("socket_manager")


@contextmanager
def only_one(sockets_folder: Path) -> Iterator[None]:
    """Hold the lock of this host's socket manager; it holds between containers, too.

    Raises:
        ListenerError: another one runs.
    """
    try:
        with exclusive_lock(sockets_folder / "manager.lock"):
            yield
    except Locked as error:
        raise ListenerError(f"another socket manager runs on {sockets_folder}; stop it first") from error


def listen(sockets_folder: Path) -> socket.socket:
    """The non-blocking socket at `manager.sock`."""
    server = unix_socket.listen(sockets_folder / "manager.sock", socket.SOCK_SEQPACKET, backlog=64)
    server.setblocking(False)
    return server


class ManagerSocket:
    """Takes connections of the same user's processes, and hands on what they say."""

    def __init__(self, server: socket.socket, hot: Mapping[str, ListenerPool]) -> None:
        self._server, self._hot = server, hot
        self._conversations: set[asyncio.Task[None]] = set()
        asyncio.get_running_loop().add_reader(server, self._connected)

    def close(self) -> None:
        """Stop listening, and end what is open."""
        asyncio.get_running_loop().remove_reader(self._server)
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()

    def _connected(self) -> None:
        try:
            sock, _ = self._server.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        sock.setblocking(False)
        pid, uid = peer(sock)
        if uid != os.getuid():
            log.warning("refused pid %d of user %d: only user %d may borrow sockets", pid, uid, os.getuid())
            sock.close()
            return
        conversation = asyncio.get_running_loop().create_task(self._converse(sock, pid))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    async def _converse(self, sock: socket.socket, pid: int) -> None:
        try:
            while True:
                await self._hear(sock, pid, *await arrived(sock))
        except PeerGone as gone:
            log.debug("pid %d: %s", pid, gone)
        except ListenerError as error:
            log.warning("pid %d is cut off: %s", pid, error)
            PROBLEMS.labels(part="socket_manager").inc()
        finally:
            sock.close()
            for hot in list(self._hot.values()):
                hot.gone(sock)

    async def _hear(self, sock: socket.socket, pid: int, message: dict[str, Any], fd: int | None) -> None:
        hot = self._hot.get(str(message.get("pipeline")))
        if hot is None or message.get("role") not in ("scorer", "rollout"):
            _close(fd)
            raise ListenerError(f"a message for no deployed pipeline, or by neither scorer nor rollout: {message}")
        if message["role"] == "rollout":
            _close(fd)
            send(sock, await _answer(hot, message))
            return
        try:
            hot.heard(sock, pid, message)
        except ListenerError:
            _close(fd)
            raise
        if fd is not None:
            hot.offered(fd, message["name"])


async def _answer(hot: ListenerPool, message: dict[str, Any]) -> dict[str, Any]:
    match message:
        case {"do": "state"}:
            return {"ok": True, "held": hot.listener is not None, "scorers": hot.describe()}
        case {
            "do": "switch",
            "to": str(to),
            "drain_s": float() | int() as drain_s,
            "stay_s": float() | int() as stay_s,
        }:
            return await hot.switch(to, float(drain_s), float(stay_s))
        case {"do": "leave", "name": str(name)}:
            return hot.leave(name)
    raise ListenerError(f"a question that is none of state, switch, leave: {message}")


def _close(fd: int | None) -> None:
    if fd is not None:
        os.close(fd)
