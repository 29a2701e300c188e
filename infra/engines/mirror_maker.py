"""MirrorMaker 2: on-prem topics to the cloud under their own names, exactly once, stamps and headers unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from contract.layout import Places
from contract.topics import MAX_RECORD_BYTES, MAX_UNPACKED_BYTES
from infra.engines import java
from infra.engines.kafka_broker import classpath
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import when_printed
from infra.supervisor.service import Service
from streaming.kafka.java_client import java_settings

MAIN = "org.apache.kafka.connect.mirror.MirrorMaker"
SECRET = ("sasl.jaas.config", "ssl.keystore.key", "ssl.key.password")
"""Settings that end so are secret. The mirror stores its settings in a topic of the cloud: of these only the file that
holds the value."""
STARTED = "MirrorSourceConnector-0} Source task finished initialization"
TASK_IS_DEAD = "will not recover until manually restarted"
"""What Kafka Connect logs of a task that it has given up."""


def mirror(settings: Settings, ports: Ports, places: Places, after: tuple[str, ...]) -> Service:
    """The part `mirror`. `render` writes its configuration: it runs before the start and whenever the topics change."""
    return Service(
        name="mirror",
        command=java.command(
            settings, "mirror", settings.memory["MIRROR"], classpath(), MAIN, str(settings.conf / "mirror.properties")
        ),
        env=java.ENVIRONMENT,
        after=after,
        ready=when_printed(STARTED),
        dead_when_printed=TASK_IS_DEAD,
        address=f"{places.onprem.bootstrap} -> {places.cloud.bootstrap}",
        look_first="hotpath logs mirror",
        patience_s=20,
    )


def render(settings: Settings, ports: Ports, places: Places, topics: Iterable[str]) -> bool:
    """Write the mirror's configuration for these topics; whether it has changed, so that it must start again.

    Raises:
        OSError: a certificate or key cannot be read.
    """
    file, clients = settings.conf / "mirror.secrets.properties", _clients(places)
    secret = {name: value for name, value in clients.items() if name.endswith(SECRET)}
    by_place = {name: f"${{file:{file}:{name}}}" for name in secret}
    new_secrets = java.write(file, java.properties(secret))
    rest = configuration(ports, clients | by_place | _provider(file), topics)
    return java.write(settings.conf / "mirror.properties", java.properties(rest)) or new_secrets


def configuration(ports: Ports, clients: Mapping[str, object], topics: Iterable[str]) -> dict[str, object]:
    """One direction. Settings of topics are not synchronised: those of the two sides differ on purpose."""
    flow = {
        "clusters": "onprem,cloud",
        **clients,
        "onprem->cloud.enabled": True,
        "cloud->onprem.enabled": False,
        "cloud->onprem.emit.heartbeats.enabled": False,
        "onprem->cloud.topics": ",".join(re.escape(topic) for topic in sorted(set(topics))),
        "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        "sync.topic.configs.enabled": False,
        "sync.topic.acls.enabled": False,
        "onprem->cloud.groups": "",  # offsets of consumer groups are not mirrored
        "emit.heartbeats.enabled": False,
        "refresh.topics.interval.seconds": 5,
        "tasks.max": 2,
    }
    exactly_once = {
        "cloud.exactly.once.source.support": "enabled",
        "dedicated.mode.enable.internal.rest": True,
        "listeners": f"http://{ports.listens_at('mirror')}",
        "rest.advertised.host.name": ports.advertise,
        "onprem.consumer.isolation.level": "read_committed",
        # after the cloud was away, the tasks of a worker that had dropped out would wait five minutes for its return
        "cloud.scheduled.rebalance.max.delay.ms": 0,
    }
    tuned = {
        "plugin.discovery": "service_load",  # of the launcher; a scan by reflection takes half a minute
        "cloud.plugin.discovery": "service_load",  # of the worker
        "offset.lag.max": 0,
        "onprem.consumer.max.poll.records": 4000,
        # a poll is a transaction in the cloud: a few large ones a second, not a hundred small ones
        "onprem.consumer.fetch.max.wait.ms": 200,
        "onprem.consumer.fetch.min.bytes": 262144,
        "cloud.producer.linger.ms": 5,
        "cloud.producer.batch.size": 262144,
        "cloud.producer.compression.type": "lz4",
    }
    large = {
        "onprem.consumer.max.partition.fetch.bytes": MAX_RECORD_BYTES,
        "cloud.producer.max.request.size": MAX_UNPACKED_BYTES + 1024 * 1024,  # counted before compression, with headers
        "cloud.producer.buffer.memory": MAX_UNPACKED_BYTES + MAX_RECORD_BYTES,
    }
    return flow | _internal_topics() | exactly_once | tuned | large


def _clients(places: Places) -> dict[str, object]:
    """Addresses, credentials and certificates of both sides."""
    sides = {"onprem": places.onprem, "cloud": places.cloud}
    return {f"{side}.{name}": value for side, kafka in sides.items() for name, value in java_settings(kafka).items()}


def _provider(secrets: Path) -> dict[str, object]:
    """Lets the mirror read secret values from this file, and from no other."""
    return {
        "config.providers": "file",
        "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
        "config.providers.file.param.allowed.paths": secrets,
    }


def _internal_topics() -> dict[str, object]:
    """Topics that the mirror itself makes: as many replicas as the broker gives by default, few partitions."""
    kinds = ("replication", "checkpoints.topic.replication", "heartbeats.topic.replication")
    more = ("offset-syncs.topic.replication", "offset.storage.replication", "status.storage.replication")
    by_default = -1
    factors: dict[str, object] = {
        f"{kind}.factor": by_default for kind in (*kinds, *more, "config.storage.replication")
    }
    return factors | {"offset.storage.partitions": 1, "status.storage.partitions": 1}
