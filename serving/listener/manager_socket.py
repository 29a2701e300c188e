"""The socket manager's Unix socket: who may connect, and what they say there."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from contract import unix_socket
from contract.files import Locked, exclusive_lock
from contract.messages.codec import Message
from contract.messages.listener import (
    AskState,
    AskStop,
    AskSwitch,
    PoolState,
    Question,
    ScorerReport,
    decode_to_manager,
)
from contract.metrics import PROBLEMS
from serving.listener.fd_passing import ListenerError, PeerGone, arrived, send
from serving.listener.listener_pool import ListenerPool

Pools: TypeAlias = Mapping[tuple[str, str], ListenerPool]
"""By pipeline and door."""

_PAUSE_S: Final = 1.0
"""How long no connection is accepted after one could not be."""

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

    def __init__(self, server: socket.socket, pools: Pools) -> None:
        self._server, self._pools = server, pools
        self._conversations: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(server, self._connected)

    def close(self) -> None:
        """Stop listening, and end what is open."""
        self._loop.remove_reader(self._server)
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()

    def _connected(self) -> None:
        try:
            sock, _ = self._server.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._pause(error)
            return
        sock.setblocking(False)
        pid, uid = unix_socket.peer(sock)
        if not unix_socket.is_own_user(sock):
            log.warning("connection refused, of another user pid=%d user=%d", pid, uid)
            sock.close()
            return
        conversation = self._loop.create_task(self._converse(sock, pid))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    def _pause(self, error: OSError) -> None:
        """No descriptor is left: who wants to connect waits in the kernel's queue meanwhile."""
        log.error("cannot accept a connection, trying again seconds=%g why=%r", _PAUSE_S, str(error))
        PROBLEMS.labels(part="socket_manager").inc()
        self._loop.remove_reader(self._server)
        self._loop.call_later(_PAUSE_S, self._resume)

    def _resume(self) -> None:
        if self._server.fileno() >= 0:
            self._loop.add_reader(self._server, self._connected)

    async def _converse(self, sock: socket.socket, pid: int) -> None:
        """Hear one connection to its end. Whatever goes wrong ends this connection, and nothing else."""
        try:
            while True:
                await self._hear(sock, pid, *await arrived(sock, decode_to_manager))
        except PeerGone as gone:
            log.debug("pid %d: %s", pid, gone)
        except ListenerError as error:
            log.warning("connection cut off pid=%d why=%r", pid, str(error))
            PROBLEMS.labels(part="socket_manager").inc()
        except Exception:
            log.exception("connection failed pid=%d", pid)
            PROBLEMS.labels(part="socket_manager").inc()
        finally:
            sock.close()
            for pool in list(self._pools.values()):
                pool.gone(sock)

    async def _hear(self, sock: socket.socket, pid: int, message: ScorerReport | Question, fd: int | None) -> None:
        pool = self._pools.get((message.pipeline, message.door))
        if pool is None:
            _close(fd)
            raise ListenerError(f"no door {message.door} of a pipeline {message.pipeline} is deployed here")
        if isinstance(message, ScorerReport):
            pool.heard(sock, pid, message)
            if fd is not None:
                pool.offered(fd, message.name)
            return
        _close(fd)
        send(sock, await _answer(pool, message))


async def _answer(pool: ListenerPool, question: Question) -> Message:
    match question:
        case AskState():
            return PoolState(ok=True, held=pool.listener is not None, scorers=pool.describe())
        case AskSwitch(to=to, drain_s=drain_s, stay_s=stay_s):
            return await pool.switch(to, drain_s, stay_s)
        case AskStop(name=name):
            return pool.stop(name)


def _close(fd: int | None) -> None:
    if fd is not None:
        os.close(fd)
