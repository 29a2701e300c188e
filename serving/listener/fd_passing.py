"""Packets between the socket manager, scorers and rollouts: one message each, and at most one descriptor with it.

The socket is SOCK_SEQPACKET, so a packet arrives whole or not at all; descriptors travel by SCM_RIGHTS and arrive
close-on-exec. The other end may be broken: everything that comes in is checked before it is used.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from contract import unix_socket
from contract.messages.codec import Message, Unreadable, decode, encode
from contract.messages.listener import Question

BACKLOG: Final = 2048
"""How many connections of a hot address may wait to be accepted."""

MAX_MESSAGE_BYTES: Final = 65536
_SO_COOKIE: Final = 57  # not in Python's socket module; Linux 4.12

T = TypeVar("T")
A = TypeVar("A", bound=Message)


class ListenerError(Exception):
    """A message, descriptor or peer that cannot be accepted; the text says which and why."""


class PeerGone(ListenerError):
    """The other end has closed its side."""


def send(sock: socket.socket, message: Message, listener: socket.socket | None = None) -> None:
    """Send one message, and a duplicate of `listener` with it.

    Raises:
        PeerGone: nobody is there to read it.
    """
    data = encode(message)
    try:
        if listener is None:
            sock.send(data)
        else:
            socket.send_fds(sock, [data], [listener.fileno()])
    except OSError as error:
        raise PeerGone(f"the other end of the manager's socket does not take a message: {error}") from error


def receive(sock: socket.socket, read: Callable[[bytes], T]) -> tuple[T, int | None]:
    """One message, and the descriptor that came with it, which the caller owns from then on.

    Raises:
        BlockingIOError: a non-blocking socket has none yet.
        PeerGone: the other end has closed.
        ListenerError: the packet was cut off, `read` cannot read it, or it carried several descriptors.
    """
    try:
        data, fds, flags, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, 4, socket.MSG_CMSG_CLOEXEC)
    except BlockingIOError:
        raise
    except OSError as error:
        raise PeerGone(f"the other end of the manager's socket is gone: {error}") from error
    if not data:
        raise PeerGone("the other end of the manager's socket has closed it")
    try:
        return _message(data, fds, flags, read), (fds[0] if fds else None)
    except ListenerError:
        for fd in fds:
            os.close(fd)
        raise


async def arrived(sock: socket.socket, read: Callable[[bytes], T]) -> tuple[T, int | None]:
    """The next message on a non-blocking socket, waited for without blocking the loop.

    Raises:
        ListenerError: as `receive`.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            return receive(sock, read)
        except BlockingIOError:
            readable = asyncio.Event()
            loop.add_reader(sock, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(sock)


def _message(data: bytes, fds: list[int], flags: int, read: Callable[[bytes], T]) -> T:
    if flags & socket.MSG_CTRUNC:
        raise ListenerError("a message's descriptor did not arrive: this process has no descriptor left for it")
    if flags & socket.MSG_TRUNC:
        raise ListenerError(f"a message was cut off; {MAX_MESSAGE_BYTES} bytes are the most")
    if len(fds) > 1:
        raise ListenerError(f"a message carried {len(fds)} descriptors; one is the most")
    try:
        return read(data)
    except Unreadable as error:
        raise ListenerError(f"a message cannot be read: {error}; it began {data[:200]!r}") from error


def cookie(sock: socket.socket) -> int:
    """The kernel's number for the socket: equal for duplicates of one socket, whichever process holds them."""
    (number,) = struct.unpack("Q", sock.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, 8))
    return int(number)


def as_listener(fd: int, address: tuple[str, int]) -> socket.socket:
    """The descriptor as a socket, when it is a listening TCP socket on our port; else it is closed.

    Raises:
        ListenerError: it is something else.
    """
    refused = ListenerError(f"a descriptor came that is no listening TCP socket on port {address[1]}")
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        raise refused from None
    try:
        listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        ours = sock.type == socket.SOCK_STREAM and sock.getsockname()[1] == address[1]
    except (OSError, IndexError):
        listens = ours = False
    if not (listens and ours):
        sock.close()
        raise refused
    sock.setblocking(False)
    return sock


def connect(path: Path, timeout_s: float | None = None) -> socket.socket:
    """A blocking connection to the socket manager.

    Raises:
        PeerGone: there is none, or this process has no descriptor left.
        PathTooLong: the kernel does not take the path.
    """
    try:
        return unix_socket.connect(path, socket.SOCK_SEQPACKET, timeout_s)
    except unix_socket.PathTooLong:
        raise
    except OSError as error:
        remedy = "start `python -m serving.listener.socket_manager`"
        raise PeerGone(f"no socket manager answers at {path}: {error}; {remedy}") from error


def ask_manager(sockets_folder: Path, question: Question, answer: type[A], timeout_s: float = 30.0) -> A:
    """One question of the rollout to the socket manager, and its answer.

    Raises:
        PeerGone: there is no manager, or it went away, or it took longer than `timeout_s`.
        ListenerError: the answer is of another kind.
    """
    with connect(sockets_folder / "manager.sock", timeout_s) as sock:
        send(sock, question)
        return receive(sock, lambda content: decode(content, answer))[0]
