"""Points for Graphite, in the plaintext protocol of carbon with tags: `path;tag=value value time`.

A gauge's path is the metric's name, that of any other field NAME.FIELD. The protocol confirms nothing: what was sent
when a connection broke is sent again, and what carbon passes over nobody hears of.
"""

from __future__ import annotations

import logging
import re
import select
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from threading import Condition, Event
from typing import Final

from influxdb_client.client.write.point import Point

from contract import metrics
from contract.variable_types import Address, reachable

MOST_WAITING: Final = 200_000
"""Lines; some twenty minutes of a pipeline, in memory."""
AT_ONCE: Final = 1000
TIMEOUT_S: Final = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0
TOLD_AFTER_S: Final = 30.0
"""A Graphite that is away for less is not worth an alert."""
log = logging.getLogger("graphite_writer")

_NOT_IN_PATHS = re.compile(r"[\s;]+")
"""White space ends a word of the line, a semicolon a tag."""


def graphite_lines(point: Point) -> Iterator[str]:
    """A point's numbers, each as a line without its end; what is text Graphite cannot hold."""
    assert point._time is not None, "the feed gives each point its time"
    tags = "".join(f";{name}={_tag(str(value))}" for name, value in sorted(point._tags.items()))
    for field, value in point._fields.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            path = point._name if field == "value" else f"{point._name}.{field}"
            yield f"{path}{tags} {value!r} {int(point._time) // 1000}"


def _tag(value: str) -> str:
    """A value may be neither empty nor begin with a tilde."""
    return _NOT_IN_PATHS.sub("_", value).lstrip("~") or "_"


class GraphiteWriter:
    """`add` is called by the monitor's loop; `run` sends for ever."""

    def __init__(self, address: Address) -> None:
        self._address = reachable(address[0]), address[1]
        self._waiting: deque[str] = deque()
        self._changed = Condition()
        self._failed_since_s: float | None = None
        self._error = ""
        self._asked_to_end = Event()
        for outcome in ("sent", "dropped"):
            metrics.GRAPHITE_LINES.labels(outcome=outcome)

    def add(self, lines: Iterable[str]) -> None:
        """Keep lines until they are sent; beyond `MOST_WAITING` the oldest go, counted."""
        with self._changed:
            self._waiting.extend(lines)
            over = len(self._waiting) - MOST_WAITING
            for _ in range(over):
                self._waiting.popleft()
            if over > 0:
                metrics.GRAPHITE_LINES.labels(outcome="dropped").inc(over)
            self._changed.notify()

    def problem(self) -> str | None:
        """Why Graphite gets nothing, in one sentence; None while all is well."""
        since_s = self._failed_since_s
        if since_s is None or time.monotonic() < since_s + TOLD_AFTER_S:
            return None
        host, port = self._address
        return f"Graphite at {host}:{port} takes no points ({self._error}); {len(self._waiting)} lines wait in memory"

    def end(self) -> None:
        """Send no more: `run` returns."""
        self._asked_to_end.set()
        with self._changed:
            self._changed.notify()

    def run(self) -> None:
        """Connect and send, and again after a pause when the connection breaks, until `end`."""
        pause_s = FIRST_PAUSE_S
        while not self._asked_to_end.is_set():
            try:
                with socket.create_connection(self._address, TIMEOUT_S) as connection:
                    log.info("connected to Graphite address=%s:%d", *self._address)
                    pause_s, self._failed_since_s = FIRST_PAUSE_S, None
                    while not self._asked_to_end.is_set():
                        self._send_next(connection)
            except OSError as error:
                self._error = error.strerror or str(error)
                if self._failed_since_s is None:
                    self._failed_since_s = time.monotonic()
                log.warning("Graphite takes no points, trying again in %.0f s error=%r", pause_s, self._error)
                self._asked_to_end.wait(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)

    def _send_next(self, connection: socket.socket) -> None:
        """Send what waits, `AT_ONCE` lines at most; it goes on waiting when that fails."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._asked_to_end.is_set())
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        try:
            _must_be_open(connection)
            connection.sendall("".join(f"{line}\n" for line in batch).encode())
        except OSError:
            with self._changed:
                self._waiting.extendleft(reversed(batch))
            raise
        metrics.GRAPHITE_LINES.labels(outcome="sent").inc(len(batch))


def _must_be_open(connection: socket.socket) -> None:
    """What is sent to a peer that has closed is lost without an error, so it is asked first."""
    readable, _, _ = select.select([connection], [], [], 0)
    if readable and connection.recv(1, socket.MSG_PEEK) == b"":
        raise ConnectionResetError("the connection was closed by Graphite")
