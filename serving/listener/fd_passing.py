"""Messages between the socket manager and scorers: one JSON object a packet, with at most one descriptor.

The socket is SOCK_SEQPACKET, so packets keep their borders; descriptors travel by SCM_RIGHTS and arrive
close-on-exec. Everything that comes in is checked before it is used: the other end may be broken.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from pathlib import Path
from typing import Any, Final

from contract.unix_socket import unix_path

BACKLOG: Final = 2048
"""Of every `listen` on a lent socket: asyncio calls it again, and the last call decides."""

MAX_MESSAGE_BYTES: Final = 65536
_SO_COOKIE: Final = 57  # not in Python's socket module; Linux 4.12


class ListenerError(Exception):
    """A message, descriptor or peer that cannot be accepted; the text says which and why."""


class PeerGone(ListenerError):
    """The other end has closed its side."""


def send(sock: socket.socket, message: dict[str, Any], listener: socket.socket | None = None) -> None:
    """Send one message, and a duplicate of `listener` with it.

    Raises:
        PeerGone: nobody is there to read it.
    """
    data = json.dumps(message).encode()
    try:
        if listener is None:
            sock.send(data)
        else:
            socket.send_fds(sock, [data], [listener.fileno()])
    except OSError as error:
        raise PeerGone(f"the other end of the handover socket is gone: {error}") from error


def receive(sock: socket.socket) -> tuple[dict[str, Any], int | None]:
    """One message and the descriptor that came with it, which the caller owns from then on.

    Raises:
        BlockingIOError: a non-blocking socket has none yet.
        PeerGone: the other end has closed.
        ListenerError: the packet was cut off, is no JSON object, or carried several descriptors.
    """
    try:
        data, fds, flags, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, 4, socket.MSG_CMSG_CLOEXEC)
    except BlockingIOError:
        raise
    except OSError as error:
        raise PeerGone(f"the other end of the handover socket is gone: {error}") from error
    if not data:
        raise PeerGone("the other end of the handover socket has closed it")
    try:
        return _message(data, fds, flags), (fds[0] if fds else None)
    except ListenerError:
        for fd in fds:
            os.close(fd)
        raise


async def arrived(sock: socket.socket) -> tuple[dict[str, Any], int | None]:
    """The next message on a non-blocking socket, waited for without blocking the loop.

    Raises:
        ListenerError: as `receive`.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            return receive(sock)
        except BlockingIOError:
            readable = asyncio.Event()
            loop.add_reader(sock, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(sock)


def _message(data: bytes, fds: list[int], flags: int) -> dict[str, Any]:
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise ListenerError(f"a handover message was cut off (flags {flags:#x})")
    if len(fds) > 1:
        raise ListenerError(f"a handover message carried {len(fds)} descriptors; one is the most")
    try:
        message = json.loads(data)
    except ValueError as error:
        raise ListenerError(f"a handover message is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise ListenerError("a handover message is not a JSON object")
    return message


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


def connect(path: Path) -> socket.socket:
    """A blocking connection to the socket manager.

    Raises:
        PeerGone: there is none.
        PathTooLong: the kernel does not take the path.
    """
    address = unix_path(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sock.connect(address)
    except OSError as error:
        sock.close()
        raise PeerGone(
            f"no socket manager answers at {path}: {error}; start `python -m serving.listener.socket_manager`"
        ) from error
    return sock


def ask(sockets_folder: Path, question: dict[str, Any], timeout_s: float = 30.0) -> dict[str, Any]:
    """One question of the rollout to the socket manager, and its answer.

    Raises:
        PeerGone: there is no manager, or it went away, or it took longer than `timeout_s`.
    """
    with connect(sockets_folder / "manager.sock") as sock:
        sock.settimeout(timeout_s)
        send(sock, {"role": "rollout"} | question)
        answer, _ = receive(sock)
        return answer
