"""Unix sockets: a checked path, who is at the other end, a client, a server whose file is replaced in one step."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from typing import Final

from contract import variables

_PATH_BYTES: Final = 107
"""Linux's limit for the path of a socket."""


class PathTooLong(OSError):
    """The path of a socket is longer than the kernel takes; the message says what to do."""


def unix_path(path: Path) -> str:
    """The path of a Unix socket as text.

    Raises:
        PathTooLong: the kernel does not take it.
    """
    if len(os.fsencode(path)) > _PATH_BYTES:
        raise PathTooLong(
            f"{path} is longer than {_PATH_BYTES} bytes, Linux's limit for a Unix socket; "
            f"choose a shorter data folder ({variables.DATA.name})"
        )
    return str(path)


def peer(sock: socket.socket) -> tuple[int, int]:
    """(pid, uid) of the other end when it connected; the pid is 0 when it lives in another pid namespace."""
    pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid


def is_own_user(sock: socket.socket) -> bool:
    """Whether the other end is a process of the user that this one runs as; nobody else may speak to it."""
    return peer(sock)[1] == os.getuid()


def connect(path: Path, kind: socket.SocketKind, timeout_s: float | None = None) -> socket.socket:
    """A connection to the server at `path`; `timeout_s` also holds for all that is sent and received on it.

    Raises:
        PathTooLong: the kernel does not take the path.
        OSError: nobody listens there, or this process has no descriptor left.
    """
    address = unix_path(path)
    sock = socket.socket(socket.AF_UNIX, kind)
    try:
        sock.settimeout(timeout_s)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def listen(path: Path, kind: socket.SocketKind, backlog: int) -> socket.socket:
    """A listening socket at `path` that only this user may connect to.

    It is made under another name and renamed, so that it replaces the file of a server that has died, and nobody meets
    a socket that does not listen yet.

    Raises:
        PathTooLong: the kernel does not take the path.
        OSError: the path cannot be bound.
    """
    unix_path(path)
    fresh = path.with_suffix(".new")
    address = unix_path(fresh)
    fresh.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, kind)
    try:
        server.bind(address)
        fresh.chmod(0o600)
        server.listen(backlog)
        fresh.rename(path)
    except OSError:
        server.close()
        raise
    return server
