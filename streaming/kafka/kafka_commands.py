"""The commands of Kafka's own tools that a person may run to change a topic."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from contract.layout import Kafka
from streaming.kafka.pipeline_topics import Settings, Topic


def alter_settings(kafka: Kafka, topic: str, settings: Settings) -> str:
    pairs = ",".join(f"{name}={value}" for name, value in settings.items())
    return _tool(
        kafka, "kafka-configs.sh", "--alter", "--entity-type", "topics", "--entity-name", topic, "--add-config", pairs
    )


def alter_partitions(kafka: Kafka, topic: str, number: int) -> str:
    return _tool(kafka, "kafka-topics.sh", "--alter", "--topic", topic, "--partitions", str(number))


def create_topic(kafka: Kafka, topic: Topic) -> str:
    settings = [part for name, value in topic.settings.items() for part in ("--config", f"{name}={value}")]
    return _tool(
        kafka, "kafka-topics.sh", "--create", "--topic", topic.name, "--partitions", str(topic.partitions), *settings
    )


def delete_topic(kafka: Kafka, topic: str) -> str:
    return _tool(kafka, "kafka-topics.sh", "--delete", "--topic", topic)


def allow(kafka: Kafka, topic: str, operations: Iterable[str]) -> str:
    """Give the login of hotpath these rights to a topic."""
    user = f"User:{kafka.settings.get('sasl.username', 'NAME')}"
    rights = [part for operation in operations for part in ("--operation", operation)]
    return _tool(kafka, "kafka-acls.sh", "--add", "--allow-principal", user, *rights, "--topic", topic)


def _tool(kafka: Kafka, name: str, *arguments: str) -> str:
    """A cluster that asks for TLS or a login takes these from a file, here `client.properties`."""
    login = ("--command-config", "client.properties") if kafka.settings else ()
    return shlex.join([name, "--bootstrap-server", kafka.bootstrap, *login, *arguments])
