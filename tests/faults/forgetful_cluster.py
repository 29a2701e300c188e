"""A Kafka cluster of one broker that forgets itself: every second answer to a question for metadata names no broker.

KRaft answers so while its only broker is fenced: after it stood still for longer than its session, and at a start.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

METADATA, API_VERSIONS = 3, 18
UNSUPPORTED_VERSION, LEADER_NOT_AVAILABLE = 35, 5
TOPIC = "t"


class _Connection(socketserver.StreamRequestHandler):
    """Speaks just enough of Kafka's protocol: ApiVersions 0 and Metadata 1."""

    server: _Server

    def handle(self) -> None:
        while len(head := self.rfile.read(4)) == 4:
            request = self.rfile.read(struct.unpack(">i", head)[0])
            key, version, correlation = struct.unpack(">hhi", request[:8])
            answer = struct.pack(">i", correlation) + self._answer(key, version)
            self.wfile.write(struct.pack(">i", len(answer)) + answer)

    def _answer(self, key: int, version: int) -> bytes:
        if key == METADATA:
            forgets = next(self.server.answers) % 2 == 1
            return _metadata(() if forgets else (self.server.server_address[1],))
        assert key == API_VERSIONS, f"a request of kind {key} was not expected"
        if version > 0:
            return struct.pack(">hi", UNSUPPORTED_VERSION, 0)
        ranges = [(API_VERSIONS, 0, 0), (METADATA, 0, 1)]
        return struct.pack(">hi", 0, len(ranges)) + b"".join(struct.pack(">hhh", *each) for each in ranges)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.answers = count()


def _metadata(ports: tuple[int, ...]) -> bytes:
    """Version 1: brokers, the controller, and one topic with one partition, whose leader is the broker if any."""
    brokers = b"".join(struct.pack(">i", 1) + _string("127.0.0.1") + struct.pack(">ih", port, -1) for port in ports)
    leader, error = (1, 0) if ports else (-1, LEADER_NOT_AVAILABLE)
    partition = struct.pack(">hii", error, 0, leader) + struct.pack(">iiii", 1, 1, 1, 1)
    topic = struct.pack(">h", 0) + _string(TOPIC) + b"\0" + struct.pack(">i", 1) + partition
    return struct.pack(">i", len(ports)) + brokers + struct.pack(">ii", leader, 1) + topic


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


@contextmanager
def forgetful_cluster() -> Iterator[str]:
    """Its address, until the end."""
    with _Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
