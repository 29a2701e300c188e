"""Of the descriptors that come over a Unix socket, only a listening socket on the pipeline's own port is taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from serving.listener.fd_passing import ListenerError, as_listener

HOST = "127.0.0.1"


@pytest.fixture
def ours() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as listener:
        yield listener


def pipe(_: socket.socket) -> int:
    reads, writes = os.pipe()
    os.close(writes)
    return reads


def on_another_port(_: socket.socket) -> int:
    return socket.create_server((HOST, 0)).detach()


def connected(listener: socket.socket) -> int:
    with socket.create_connection(listener.getsockname()):
        return listener.accept()[0].detach()  # its own end is on the listener's port


def datagrams(listener: socket.socket) -> int:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(listener.getsockname())
    return sock.detach()


def test_our_listener_is_taken(ours: socket.socket) -> None:
    with as_listener(os.dup(ours.fileno()), ours.getsockname()) as taken:
        assert taken.getsockname() == ours.getsockname()


@pytest.mark.parametrize("made", [pipe, on_another_port, connected, datagrams])
def test_anything_else_is_closed_and_refused(ours: socket.socket, made: Callable[[socket.socket], int]) -> None:
    fd = made(ours)
    with pytest.raises(ListenerError, match=f"no listening TCP socket on port {ours.getsockname()[1]}"):
        as_listener(fd, ours.getsockname())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
