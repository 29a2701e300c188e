"""Requests to a running rollout at `sockets/rollout-<pipeline>.sock`: one JSON object a connection, and its answer.

Connections are bounded in number, bytes and time, so that no client can take the rollout's memory or descriptors.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Final

from contract import metrics
from contract.messages.codec import Message, Unreadable, decode, encode
from contract.messages.operator_commands import Reply, read_request
from contract.process_end import VitalThread
from contract.unix_socket import connect, is_own_user, listen
from serving.rollout.pending_commands import ANSWER_WITHIN_S, Asked, Pending

MOST_CONNECTIONS: Final = 16
MOST_BYTES: Final = 64 * 1024
"""Of a request; an answer may be longer, since it lists models."""
REQUEST_WITHIN_S: Final = 5.0
_PAUSE_S: Final = 0.1
_PASSING: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED}
"""Errors of `accept` that say nothing about the listening socket."""

log = logging.getLogger("rollout")


class NoRollout(Exception):
    """Nobody answers at the rollout's socket; the message names it and the remedy."""


def socket_path(sockets_folder: Path, pipeline: str) -> Path:
    return sockets_folder / f"rollout-{pipeline}.sock"


def take_commands(path: Path, pending: Pending) -> None:
    """Listen, and put every request into the queue; the socket file of a dead rollout is replaced.

    Raises:
        OSError: the path cannot be bound.
    """
    server = listen(path, socket.SOCK_STREAM, backlog=16)
    VitalThread("command socket", lambda: _listen(server, pending)).start()


def ask_rollout(sockets_folder: Path, pipeline: str, request: Message) -> Reply:
    """One request and its answer.

    Raises:
        NoRollout: no rollout of this pipeline runs here, or it went away.
    """
    path = socket_path(sockets_folder, pipeline)
    try:
        with connect(path, socket.SOCK_STREAM, ANSWER_WITHIN_S + REQUEST_WITHIN_S) as sock:
            sock.sendall(encode(request))
            sock.shutdown(socket.SHUT_WR)
            return decode(_read_to_end(sock), Reply)
    except (OSError, Unreadable) as error:
        remedy = f"start the stack with `hotpath up`, or `python -m serving.rollout.rollout {pipeline}`"
        raise NoRollout(f"no rollout of {pipeline} answers at {path} ({error}); {remedy}") from error


def _listen(server: socket.socket, pending: Pending) -> None:
    free = threading.BoundedSemaphore(MOST_CONNECTIONS)
    while True:
        free.acquire()  # beyond the limit none is accepted until one closes
        try:
            sock, _ = server.accept()
        except OSError as error:
            free.release()
            if error.errno not in _PASSING:
                raise
            log.warning("cannot accept a command now, trying again why=%r", str(error))
            time.sleep(_PAUSE_S)
            continue
        threading.Thread(target=_serve, args=(sock, pending, free), name="command", daemon=True).start()


def _serve(sock: socket.socket, pending: Pending, free: threading.BoundedSemaphore) -> None:
    """One connection. A client that goes away, or is too slow, harms nobody but itself."""
    try:
        with sock:
            if is_own_user(sock):
                reply = encode(_reply(sock, pending))
                sock.settimeout(REQUEST_WITHIN_S)
                sock.sendall(reply)
    except OSError as error:
        log.warning("command connection failed why=%r", str(error))
    finally:
        free.release()


def _reply(sock: socket.socket, pending: Pending) -> Reply:
    try:
        asked = Asked(read_request(_read_request(sock)))
    except Unreadable as error:
        metrics.PROBLEMS.labels(part="rollout").inc()
        return Reply(ok=False, why=f"no such command: {error}")
    pending.put(asked)
    return asked.wait()


def _read_request(sock: socket.socket) -> bytes:
    """All that the client sends until it closes its side.

    Raises:
        Unreadable: it is longer, or takes longer, than allowed.
    """
    received, until = bytearray(), time.monotonic() + REQUEST_WITHIN_S
    while (left_s := until - time.monotonic()) > 0:
        sock.settimeout(left_s)
        try:
            chunk = sock.recv(MOST_BYTES)
        except TimeoutError:
            break
        if not chunk:
            return bytes(received)
        received += chunk
        if len(received) > MOST_BYTES:
            raise Unreadable(f"it is longer than {MOST_BYTES} bytes")
    raise Unreadable(f"it was not complete within {REQUEST_WITHIN_S:g} s")


def _read_to_end(sock: socket.socket) -> bytes:
    received = bytearray()
    while chunk := sock.recv(65536):
        received += chunk
    return bytes(received)
