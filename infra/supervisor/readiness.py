"""Conditions that tell whether a part is ready. Each answers at once, and never raises for what is not there yet."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from contract.layout import Kafka
from infra.supervisor.service import Ready


def listens(address: str) -> bool:
    """Whether somebody accepts connections at host:port."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def answers(address: str, path: str, timeout_s: float = 3.0) -> bytes | None:
    """The body of a GET that is answered with 200; None for anything else."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if response.status == 200 else None


def json_at(address: str, path: str, timeout_s: float = 3.0) -> Any:
    """The JSON at an address, or None."""
    body = answers(address, path, timeout_s)
    return json.loads(body) if body else None


def broker_answers(kafka: Kafka) -> bool:
    """Whether a broker lists its topics."""
    if not listens(kafka.bootstrap.split(",")[0]):
        return False
    try:
        AdminClient({**kafka.settings, "bootstrap.servers": kafka.bootstrap}).list_topics(timeout=3)
    except KafkaException:
        return False
    return True


def when_listening(address: str) -> Ready:
    return lambda _: listens(address)


def when_printed(text: str) -> Ready:
    return lambda running: running.printed(text)


def when_answering(address: str, path: str) -> Ready:
    return lambda _: answers(address, path) is not None
