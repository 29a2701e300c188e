"""The locked Kafka client comes back from a cluster that named no broker for a moment."""

from __future__ import annotations

import sys

import pytest
from confluent_kafka.admin import AdminClient

from contract.layout import Kafka
from tests.faults.forgetful_cluster import TOPIC, forgetful_cluster

QUESTIONS = 5000
"""confluent-kafka 2.11.1 and 2.12.2 were lost for ever after less than twenty, 2.16.1 after 1,752."""


@pytest.mark.xfail(sys.version_info >= (3, 14), reason="there is no older client for this Python", strict=True)
def test_the_client_comes_back_from_a_cluster_that_names_no_broker() -> None:
    with forgetful_cluster() as address:
        client = AdminClient(Kafka(address, {}).client(reconnect_backoff_ms=10) | {"log_level": 0})
        for _ in range(QUESTIONS):
            assert TOPIC in client.list_topics(TOPIC, timeout=10).topics
