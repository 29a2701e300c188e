"""Unix sockets: a server replaces what a dead one left, and only this user's processes are let in."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from contract.unix_socket import PathTooLong, connect, is_own_user, listen, peer

KINDS = [socket.SOCK_STREAM, socket.SOCK_SEQPACKET]


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_replaces_the_file_of_a_dead_one_and_knows_who_connects(
    tmp_path: Path, kind: socket.SocketKind
) -> None:
    path = tmp_path / "a.sock"
    listen(path, kind, 1).close()
    with pytest.raises(ConnectionRefusedError):
        connect(path, kind)
    with listen(path, kind, 1) as server, connect(path, kind, 20) as client, server.accept()[0] as accepted:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [peer(sock) for sock in (client, accepted)] == [(os.getpid(), os.getuid())] * 2
        assert is_own_user(accepted)
        client.sendall(b"heard")
        assert accepted.recv(10) == b"heard"
        assert client.gettimeout() == 20
    assert list(tmp_path.iterdir()) == [path]


def test_another_user_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "a.sock", os.getuid() + 1
    with listen(path, socket.SOCK_STREAM, 1) as server, connect(path, socket.SOCK_STREAM):
        monkeypatch.setattr(os, "getuid", lambda: other)
        assert not is_own_user(server.accept()[0])


def test_a_path_that_is_too_long_is_refused_with_the_remedy_and_nothing_is_left(tmp_path: Path) -> None:
    """By one byte: the name under which the socket is made would still do."""
    path = tmp_path / ("x" * (108 - len(os.fsencode(tmp_path)) - 1 - len(".sock")) + ".sock")
    assert len(os.fsencode(path)) == 108
    with pytest.raises(PathTooLong, match="HOTPATH_DATA"):
        listen(path, socket.SOCK_STREAM, 1)
    with pytest.raises(PathTooLong, match="HOTPATH_DATA"):
        connect(path, socket.SOCK_STREAM)
    assert not list(tmp_path.iterdir())
