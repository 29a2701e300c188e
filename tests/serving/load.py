"""Clients of the hot address that count what was answered and what failed; none retries."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.waiting import until


class Load:
    """Clients that keep their connection, and clients that take a new one for each request."""

    def __init__(self, port: int, path: str = "/", keep_alive: int = 4, fresh: int = 4) -> None:
        self.answered: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._port, self._path, self._stopped = port, path, threading.Event()
        self.connections = keep_alive + fresh
        """How many there are at most at one time."""
        kinds = [True] * keep_alive + [False] * fresh
        self._threads = [threading.Thread(target=self._ask_on, args=(keep,), daemon=True) for keep in kinds]

    def more(self, requests: int) -> None:
        """Wait until so many more were answered."""
        goal = self.answered.total() + requests
        until(lambda: self.answered.total() >= goal, 30, f"{requests} more answers ({self.failed})", 0.005)

    def _ask_on(self, keep_alive: bool) -> None:
        connection = self._connection()
        while not self._stopped.is_set():
            try:
                connection.request("GET", self._path)
                response = connection.getresponse()
                self.answered[f"{response.status} {response.read().decode()}"] += 1
            except (OSError, http.client.HTTPException) as error:
                self.failed[f"{'kept' if keep_alive else 'fresh'} {type(error).__name__}"] += 1
                connection.close()
            if not keep_alive:
                connection.close()
            self._stopped.wait(0.01)
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)


@contextmanager
def load(port: int, path: str = "/", keep_alive: int = 4, fresh: int = 4) -> Iterator[Load]:
    """A load for as long as the block lasts."""
    clients = Load(port, path, keep_alive, fresh)
    for thread in clients._threads:
        thread.start()
    try:
        yield clients
    finally:
        clients._stopped.set()
        for thread in clients._threads:
            thread.join(25)
