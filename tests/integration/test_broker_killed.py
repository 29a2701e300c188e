"""A broker killed with -9 in the middle of commits: once it is back, no transaction stays open for ever."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from confluent_kafka import IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from contract.layout import Kafka
from infra.engines import kafka_broker
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import broker_answers
from tests.integration.conftest import free_base
from tests.integration.secured_kafka import running
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.restarts]

TOPIC, PARTITIONS, PRODUCERS = "committed", 4, 24
"""So many commit all the time that some commit is half done whenever the broker is killed."""


@contextmanager
def living(settings: Settings, ports: Ports, log: str) -> Iterator[Kafka]:
    """The broker, killed in the end."""
    address = Kafka(ports.address("cloud"), {})
    with running(settings, kafka_broker.broker(settings, ports, "cloud"), settings.data / log):
        until(lambda: broker_answers(address), 120, "the broker")
        yield address


class Committing:
    """Commits transactions, one after the other, until the broker is gone."""

    def __init__(self, address: Kafka, number: int) -> None:
        self.has_begun = Event()
        timeouts = {"transaction.timeout.ms": 5000, "socket.timeout.ms": 4000, "log_level": 0}
        self._producer = Producer(address.client(transactional_id=f"t{number}") | timeouts)
        self._partition = number % PARTITIONS
        Thread(target=self._commit, daemon=True).start()

    def _commit(self) -> None:
        try:
            self._producer.init_transactions(60)
            while True:
                self._producer.begin_transaction()
                self._producer.produce(TOPIC, b"x", partition=self._partition)
                self._producer.commit_transaction(10)
                self.has_begun.set()
        except KafkaException:
            return


def ends(admin: AdminClient, isolation: IsolationLevel) -> list[int]:
    """The end of each partition for a reader of this isolation: before the first open transaction, or after all."""
    asked = {TopicPartition(TOPIC, number): OffsetSpec.latest() for number in range(PARTITIONS)}
    told = admin.list_offsets(asked, isolation_level=isolation, request_timeout=10)
    return [told[partition].result().offset for partition in asked]


def test_no_transaction_stays_open(tmp_path: Path) -> None:
    base = free_base()
    env = {"HOTPATH_DATA": str(tmp_path), "HOTPATH_PORT_BASE": str(base)}
    settings, ports = Settings.from_environment({**os.environ, **env}), Ports(base, tmp_path / "ports.json")
    with living(settings, ports, "first.log") as address:
        admin = AdminClient(address.client())
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
        committing = [Committing(address, number) for number in range(PRODUCERS)]
        until(lambda: all(each.has_begun.is_set() for each in committing), 120, "commits of every producer")
    with living(settings, ports, "second.log") as address:
        admin = AdminClient(address.client())

        def level() -> bool:
            return ends(admin, IsolationLevel.READ_COMMITTED) == ends(admin, IsolationLevel.READ_UNCOMMITTED)

        until(level, 60, "the end of every transaction", every_s=0.5)
        assert min(ends(admin, IsolationLevel.READ_COMMITTED)) > 0
    assert "hence can be skipped" not in (tmp_path / "second.log").read_text()
