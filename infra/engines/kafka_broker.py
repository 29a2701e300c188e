"""The two Kafka brokers, `onprem` and `cloud`: one KRaft node each, broker and controller in one process."""

from __future__ import annotations

import base64
import subprocess
import uuid
from datetime import timedelta

from contract.layout import Kafka
from contract.topics import MAX_RECORD_BYTES
from infra.engines import java
from infra.engines.kafka_fencing import fence_former_life
from infra.engines.spark_jars import spark_jars
from infra.ports import Ports
from infra.settings import SHARE, Settings
from infra.supervisor.readiness import broker_answers
from infra.supervisor.service import Service

RETENTION = timedelta(hours=6)
SEGMENT_BYTES = 64 * 1024 * 1024
LONGEST = 2**63 - 1


class EngineError(RuntimeError):
    """An engine could not be prepared; the message ends with what the engine printed last."""


def broker(settings: Settings, ports: Ports, name: str) -> Service:
    """The broker `name` (onprem or cloud), part `kafka-<name>`."""
    conf = settings.conf / f"kafka-{name}.properties"
    address, heap = ports.address(name), settings.memory["KAFKA"]

    def prepare() -> None:
        configured = configuration(settings, ports, name)
        java.write(conf, java.properties(configured))
        if not (settings.folder.engine(f"kafka-{name}") / "meta.properties").exists():
            _format(settings, name)
        fence_former_life(settings, name, classpath(), configured, ports.listens_at(f"{name}_controller"))

    return Service(
        name=f"kafka-{name}",
        command=java.command(settings, f"kafka-{name}", heap, classpath(), "kafka.Kafka", str(conf)),
        env=java.ENVIRONMENT,
        prepare=prepare,
        ready=lambda _: broker_answers(Kafka(address, {})),
        address=address,
        look_first=f"hotpath logs kafka-{name}",
        patience_s=20,
    )


def classpath() -> str:
    """The jars of the brokers and of the mirror; Scala's library is the one that Spark brings."""
    return ":".join([f"{SHARE}/jars/kafka/*", *spark_jars("scala-library")])


def configuration(settings: Settings, ports: Ports, name: str) -> dict[str, object]:
    """What differs from Kafka's defaults: one node, small logs, records of 8 MB, no topic made by its mere use."""
    listener, controller = ports.listens_at(name), ports.listens_at(f"{name}_controller")
    voter = ports.address(f"{name}_controller")
    one_node = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{voter}",
        "listeners": f"PLAINTEXT://{listener},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{ports.address(name)}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        # one node: no other broker could take over from one that was paused, and fencing it drops open transactions
        "broker.session.timeout.ms": 40_000,
    }
    small = {
        "log.dirs": settings.folder.engine(f"kafka-{name}"),
        "num.partitions": 2,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "log.segment.bytes": SEGMENT_BYTES,
        "log.roll.ms": int(timedelta(hours=1) / timedelta(milliseconds=1)),
        "log.retention.ms": int(RETENTION / timedelta(milliseconds=1)),
        "metadata.log.segment.bytes": SEGMENT_BYTES // 4,
        "metadata.max.retention.bytes": SEGMENT_BYTES,
    }
    contract = {
        "auto.create.topics.enable": False,
        "message.max.bytes": MAX_RECORD_BYTES,
        "replica.fetch.max.bytes": MAX_RECORD_BYTES,
        "log.message.timestamp.after.max.ms": LONGEST,
    }
    return one_node | small | contract


def _format(settings: Settings, name: str) -> None:
    conf = settings.conf / f"kafka-{name}.properties"
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = ("format", f"--cluster-id={cluster}", "-c", str(conf))
    tool, part = "kafka.tools.StorageTool", f"kafka-{name}"
    command = java.command(settings, part, "128m", classpath(), tool, *arguments)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise EngineError(f"kafka-{name}: its storage could not be formatted: {done.stderr[-2000:] or done.stdout}")
