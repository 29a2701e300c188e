"""The application: asks the scorer each question at the moment at which its event is produced."""

from __future__ import annotations

import http.client
import queue
import select
import socket
import threading

from contract.metrics import APP_ANSWER_SECONDS, APP_ANSWERS

QUEUE = 2000


class Application:
    """Callers over keep-alive connections, each a thread. A question that finds the queue full is counted, not asked.

    A caller looks whether the server has closed an idle connection before it uses it again, as an HTTP client should,
    and repeats no request: whatever fails is counted as `failed`.
    """

    def __init__(self, address: str, pipeline: str, key: str, callers: int) -> None:
        self._address, self._path = address, f"/v1/pipelines/{pipeline}/predict"
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        self._questions: queue.Queue[bytes | None] = queue.Queue(QUEUE)
        self._threads = [threading.Thread(target=self._ask_all, daemon=True) for _ in range(callers)]
        for thread in self._threads:
            thread.start()

    def ask(self, body: bytes) -> None:
        try:
            self._questions.put_nowait(body)
        except queue.Full:
            APP_ANSWERS.labels(status="not_asked").inc()

    def stop(self) -> None:
        """Let the callers finish what is queued."""
        for _ in self._threads:
            self._questions.put(None)
        for thread in self._threads:
            thread.join(timeout=5)

    def _ask_all(self) -> None:
        host, port = self._address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        while (body := self._questions.get()) is not None:
            with APP_ANSWER_SECONDS.time():
                status = self._ask(connection, body)
            APP_ANSWERS.labels(status=status).inc()
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, body: bytes) -> str:
        if connection.sock is not None and _closed_by_peer(connection.sock):
            connection.close()
        try:
            connection.request("POST", self._path, body, self._headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return "failed"
        return str(response.status)


def _closed_by_peer(sock: socket.socket) -> bool:
    """Whether an idle connection has something to read: after a whole response that is its end."""
    readable, _, _ = select.select([sock], [], [], 0)
    return bool(readable)
