"""Two Kafka brokers that hotpath did not start: to it they are a team's own, named by the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from contract.layout import Kafka, Places
from infra.engines import java, kafka_broker
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import broker_answers
from infra.supervisor.service import Service
from tests.integration.secured_kafka import running
from tests.waiting import until


@dataclass(frozen=True)
class OwnKafkas:
    """`env` is what a person sets to use these brokers; the data folder is none of the brokers'."""

    env: Mapping[str, str]

    @property
    def places(self) -> Places:
        return Places.from_environment(self.env, needs=("onprem", "cloud"))

    @property
    def settings(self) -> Settings:
        return Settings.from_environment({**os.environ, **self.env})

    def with_folder(self, data: Path) -> OwnKafkas:
        """The same brokers, seen from another data folder, in which nothing is noted."""
        return OwnKafkas({**self.env, "HOTPATH_DATA": str(data)})


@contextmanager
def own_kafkas(folder: Path, port_base: int) -> Iterator[OwnKafkas]:
    """Both brokers, until the end."""
    env = {"HOTPATH_DATA": str(folder), "HOTPATH_PORT_BASE": str(port_base)}
    settings = Settings.from_environment({**os.environ, **env})
    ports = Ports.of(settings)
    with ExitStack() as brokers:
        for name in ("onprem", "cloud"):
            part = _with_rights(settings, ports, name)
            brokers.enter_context(running(settings, part, folder / f"{name}.log"))
        for name in ("onprem", "cloud"):
            until(partial(broker_answers, Kafka(ports.address(name), {})), 120, f"the broker {name}")
        named = {"HOTPATH_ONPREM_KAFKA": ports.address("onprem"), "HOTPATH_CLOUD_KAFKA": ports.address("cloud")}
        yield OwnKafkas({**env, **named})


def _with_rights(settings: Settings, ports: Ports, name: str) -> Service:
    """The broker as `up` makes it, but with an authorizer: a topic that has an ACL is for those alone whom it names."""
    part = kafka_broker.broker(settings, ports, name)
    rights = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": True,
    }

    def prepare() -> None:
        assert part.prepare
        part.prepare()
        configured = kafka_broker.configuration(settings, ports, name) | rights
        java.write(settings.conf / f"kafka-{name}.properties", java.properties(configured))

    return replace(part, prepare=prepare)


@cache
def admin_of(bootstrap: str) -> AdminClient:
    """A client that stays connected: a new one takes a second for its first answer."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def allow_alone(kafka: Kafka, topic: str, user: str, operation: AclOperation) -> None:
    """Allow this to this user, and so nothing else to anybody."""
    admin = admin_of(kafka.bootstrap)
    where = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL)
    acl = AclBinding(*where, f"User:{user}", "*", operation, AclPermissionType.ALLOW)
    admin.create_acls([acl])[acl].result(30)


def make_topic(kafka: Kafka, name: str, settings: Mapping[str, str], partitions: int = 2) -> None:
    """As a team makes a topic."""
    admin = admin_of(kafka.bootstrap)
    admin.create_topics([NewTopic(name, partitions, config=dict(settings))])[name].result(30)
    until(lambda: name in names(kafka), 30, f"the topic {name}")


def delete_topic(kafka: Kafka, name: str) -> None:
    admin = admin_of(kafka.bootstrap)
    admin.delete_topics([name])[name].result(30)
    until(lambda: name not in names(kafka), 30, f"the end of {name}")


def names(kafka: Kafka) -> set[str]:
    return set(admin_of(kafka.bootstrap).list_topics(timeout=10).topics)


def settings_of(kafka: Kafka, *topics: str) -> dict[str, dict[str, str]]:
    """Every setting of these topics, and their numbers of partitions."""
    admin = admin_of(kafka.bootstrap)
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    found = {resource.name: future.result(30) for resource, future in admin.describe_configs(resources).items()}
    listed = admin.list_topics(timeout=10).topics
    return {
        name: {key: entry.value for key, entry in entries.items()} | {"partitions": str(len(listed[name].partitions))}
        for name, entries in found.items()
    }
