"""Accepts connections on a listening socket, and stops for a while when the process is short of descriptors.

Callers that come meanwhile wait in the kernel's queue, from which another scorer of the pipeline may accept them, too.
The loop's own server would close them, or end for good where it has no descriptor left.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
from collections.abc import Callable
from typing import Final

from contract.metrics import ACCEPT_PAUSES

RESERVED_DESCRIPTORS: Final = 32
"""Kept free for what a scorer must be able to open at any time: the spool, the broker, the manager's socket."""
_AT_ONCE: Final = 64
_PAUSE_S: Final = 0.1

log = logging.getLogger("scorer.listener")


class AcceptLoop:
    """Hands every accepted connection to `accepted`, from `__init__` until `close`; the socket stays open."""

    def __init__(self, listener: socket.socket, accepted: Callable[[socket.socket], None]) -> None:
        """`listener` is non-blocking."""
        self._listener, self._accepted = listener, accepted
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._is_short = False
        self._loop.add_reader(listener, self._readable)

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            if not has_descriptors():
                self._wait("short of descriptors")
                return
            try:
                sock, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                break
            except OSError as error:
                self._wait(str(error))
                return
            self._accepted(sock)
        self._is_short = False

    def _wait(self, why: str) -> None:
        if not self._is_short:
            ACCEPT_PAUSES.inc()
            log.warning("accepting paused why=%r limit=%d", why, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self._is_short = True
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(_PAUSE_S, self._loop.add_reader, self._listener, self._readable)


def has_descriptors() -> bool:
    """Whether more than the reserve is left. The kernel gives out the lowest free number, so that tells."""
    try:
        lowest_free = os.open("/", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    os.close(lowest_free)
    return lowest_free < resource.getrlimit(resource.RLIMIT_NOFILE)[0] - RESERVED_DESCRIPTORS
