"""MirrorMaker 2: on-prem topics to the cloud under their own names, exactly once, stamps and headers unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from infra.conditions import when_printed
from infra.engines import java
from infra.engines.kafka import classpath
from infra.part import Part
from infra.ports import Ports
from infra.settings import Settings
from streaming.java_settings import java_settings
from streaming.places import Kafka, Places
from streaming.records import MAX_RECORD_BYTES

MAIN = "org.apache.kafka.connect.mirror.MirrorMaker"
SECRET = ("sasl.jaas.config", "ssl.keystore.key", "ssl.key.password")
"""Settings of a client that nobody else may read."""
STARTED = "MirrorSourceConnector-0} Source task finished initialization"


def mirror(settings: Settings, ports: Ports, places: Places, after: tuple[str, ...]) -> Part:
    """The part `mirror`. `render` writes its configuration: it runs before the start and whenever the topics change."""
    return Part(
        name="mirror",
        command=java.command(
            settings, "mirror", settings.memory["MIRROR"], classpath(), MAIN, str(settings.conf / "mirror.properties")
        ),
        env=java.ENVIRONMENT,
        after=after,
        ready=when_printed(STARTED),
        address=f"{places.onprem.bootstrap} -> {places.cloud.bootstrap}",
        look_first="hotpath logs mirror",
        patience_s=20,
    )


def render(settings: Settings, ports: Ports, places: Places, topics: Iterable[str]) -> bool:
    """Write the mirror's configuration for these topics; whether it has changed, so that it must start again.

    Raises:
        OSError: a certificate or key cannot be read.
    """
    secrets = settings.conf / "mirror.secrets.properties"
    new_secrets = java.write(secrets, java.properties(_secrets(places)))
    rest = java.properties(configuration(ports, places, topics, secrets))
    return java.write(settings.conf / "mirror.properties", rest) or new_secrets


def configuration(ports: Ports, places: Places, topics: Iterable[str], secrets: Path) -> dict[str, object]:
    """One direction; the topics are ours to create, so their settings are not synchronised."""
    flow = {
        "clusters": "onprem,cloud",
        **_cluster("onprem", places.onprem, secrets),
        **_cluster("cloud", places.cloud, secrets),
        **_provider(secrets),
        "onprem->cloud.enabled": True,
        "cloud->onprem.enabled": False,
        "cloud->onprem.emit.heartbeats.enabled": False,
        "onprem->cloud.topics": ",".join(re.escape(topic) for topic in sorted(set(topics))),
        "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        "sync.topic.configs.enabled": False,
        "sync.topic.acls.enabled": False,
        "onprem->cloud.groups": "",  # consumers' offsets stay where they are
        "emit.heartbeats.enabled": False,
        "refresh.topics.interval.seconds": 5,
        "tasks.max": 2,
    }
    exactly_once = {
        "cloud.exactly.once.source.support": "enabled",
        "dedicated.mode.enable.internal.rest": True,
        "listeners": f"http://{ports.address('mirror')}",
        "onprem.consumer.isolation.level": "read_committed",
        # after the cloud was away, the tasks of a worker that had dropped out would wait five minutes for its return
        "cloud.scheduled.rebalance.max.delay.ms": 0,
    }
    tuned = {
        "plugin.discovery": "service_load",  # of the launcher; a scan by reflection takes half a minute
        "cloud.plugin.discovery": "service_load",  # of the worker
        "offset.lag.max": 0,
        "onprem.consumer.max.poll.records": 4000,
        "onprem.consumer.fetch.max.wait.ms": 100,
        "cloud.producer.linger.ms": 5,
        "cloud.producer.batch.size": 262144,
        "cloud.producer.compression.type": "lz4",
    }
    large = {
        "onprem.consumer.max.partition.fetch.bytes": MAX_RECORD_BYTES,
        "cloud.producer.max.request.size": MAX_RECORD_BYTES + 1024 * 1024,  # counted before compression, with headers
        "cloud.producer.buffer.memory": 4 * MAX_RECORD_BYTES,
    }
    return flow | _one_node() | exactly_once | tuned | large


def _cluster(name: str, kafka: Kafka, secrets: Path) -> dict[str, object]:
    """Addresses, credentials and certificates of one side; what is secret by its place in that file.

    The mirror keeps its settings in a topic of the cloud, where others may read them.
    """
    own = _settings_of(name, kafka)
    return own | {key: f"${{file:{secrets}:{key}}}" for key in own if key.endswith(SECRET)}


def _settings_of(name: str, kafka: Kafka) -> dict[str, object]:
    return {f"{name}.{setting}": value for setting, value in java_settings(kafka).items()}


def _secrets(places: Places) -> dict[str, object]:
    own = _settings_of("onprem", places.onprem) | _settings_of("cloud", places.cloud)
    return {key: value for key, value in own.items() if key.endswith(SECRET)}


def _provider(secrets: Path) -> dict[str, object]:
    """Whoever needs a value that names its place reads it there, and nowhere else."""
    return {
        "config.providers": "file",
        "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
        "config.providers.file.param.allowed.paths": secrets,
    }


def _one_node() -> dict[str, object]:
    kinds = ("replication", "checkpoints.topic.replication", "heartbeats.topic.replication")
    more = ("offset-syncs.topic.replication", "offset.storage.replication", "status.storage.replication")
    factors: dict[str, object] = {f"{kind}.factor": 1 for kind in (*kinds, *more, "config.storage.replication")}
    return factors | {"offset.storage.partitions": 1, "status.storage.partitions": 1}
