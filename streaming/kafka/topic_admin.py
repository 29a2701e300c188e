"""The topics of a pipeline at both brokers, with the settings on which the clocks and the mirror depend."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from contract.layout import Kafka, Places
from contract.pipeline import Pipeline
from contract.topics import IMPORTS_TOPIC, MAX_RECORD_BYTES, PROGRESS_TOPIC

PARTITIONS = 2
LONGEST_RETENTION = timedelta(days=1)
UNLIMITED = str(2**63 - 1)
TIMEOUT_S = 30.0

Settings = Mapping[str, str]


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int
    settings: Settings


def ensure_topics(places: Places, pipeline: Pipeline) -> None:
    """Create the pipeline's and the system's topics where they lack, and set what hotpath depends on.

    Run before the mirror sees a topic: it would create the cloud's with other settings.

    Raises:
        RuntimeError: naming the broker, the topic and what it answered.
    """
    ensure(places.onprem, onprem_topics(pipeline))
    ensure(places.cloud, cloud_topics(pipeline))


def onprem_topics(pipeline: Pipeline) -> list[Topic]:
    """On-prem: the broker stamps each record as it appends it."""
    stamped = {"message.timestamp.type": "LogAppendTime"}
    return [*_mirrored(pipeline, stamped), Topic(IMPORTS_TOPIC, 1, _compacted(stamped))]


def cloud_topics(pipeline: Pipeline) -> list[Topic]:
    """In the cloud: the stamp that arrives stays, however long the mirror was away."""
    kept = {"message.timestamp.type": "CreateTime"}
    return [*_mirrored(pipeline, kept), Topic(PROGRESS_TOPIC, 1, _compacted(kept))]


def _mirrored(pipeline: Pipeline, stamp: Settings) -> list[Topic]:
    stream = _retained(min(pipeline.lake.retention, LONGEST_RETENTION), stamp)
    names = [name for name in pipeline.mirrored_topics if name != pipeline.models_topic]
    return [Topic(name, PARTITIONS, stream) for name in names] + [Topic(pipeline.models_topic, 1, _compacted(stamp))]


def _common(stamp: Settings) -> dict[str, str]:
    """The mirror copies settings to the cloud, and unsets there what is not set on-prem: so both have all of them."""
    size = {"max.message.bytes": str(MAX_RECORD_BYTES), "segment.bytes": str(64 * 1024 * 1024)}
    return {"message.timestamp.after.max.ms": UNLIMITED, "message.timestamp.before.max.ms": UNLIMITED, **size, **stamp}


def _retained(retention: timedelta, stamp: Settings) -> Settings:
    kept_ms = max(retention, timedelta(hours=1)) // timedelta(milliseconds=1)
    rolled_ms = min(kept_ms, 3_600_000)
    return {"cleanup.policy": "delete", "retention.ms": str(kept_ms), "segment.ms": str(rolled_ms)} | _common(stamp)


def _compacted(stamp: Settings) -> Settings:
    rolled = {"segment.ms": "600000", "min.cleanable.dirty.ratio": "0.2"}
    return {"cleanup.policy": "compact", **rolled} | _common(stamp)


def ensure(kafka: Kafka, topics: list[Topic]) -> None:
    """Create what lacks at one broker, then set every setting (of topics that were there before, too)."""
    said: list[KafkaError] = []
    settings: dict[str, Any] = kafka.client(socket_timeout_ms=10_000) | {"error_cb": said.append, "log_level": 0}
    admin = AdminClient(settings)
    try:
        _create(admin, topics, said)
        _set(admin, topics, said)
    except KafkaException as error:
        admin.poll(0)  # why it timed out: a login that is refused, a certificate that is not trusted
        why = dict.fromkeys(each.str() for each in [error.args[0], *said])
        raise RuntimeError(f"could not prepare the topics at {kafka.bootstrap}: {'; '.join(why)}") from error


def _create(admin: AdminClient, topics: list[Topic], said: Sequence[KafkaError]) -> None:
    new = [NewTopic(t.name, num_partitions=t.partitions, config=dict(t.settings)) for t in topics]
    for future in _answered(admin, admin.create_topics(new, request_timeout=TIMEOUT_S), said):
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def _set(admin: AdminClient, topics: list[Topic], said: Sequence[KafkaError]) -> None:
    resources = [ConfigResource(ResourceType.TOPIC, t.name, incremental_configs=_entries(t)) for t in topics]
    for future in _answered(admin, admin.incremental_alter_configs(resources, request_timeout=TIMEOUT_S), said):
        future.result()


def _answered(
    admin: AdminClient, futures: Mapping[Any, Future[Any]], said: Sequence[KafkaError]
) -> Collection[Future[Any]]:
    """Wait for all answers, but not once a login was refused: the client would try it until the time is over."""
    while not all(future.done() for future in futures.values()):
        admin.poll(0.1)
        refused = next((error for error in said if error.code() == KafkaError._AUTHENTICATION), None)
        if refused is not None:
            raise KafkaException(refused)
    return futures.values()


def _entries(topic: Topic) -> list[ConfigEntry]:
    set_to = AlterConfigOpType.SET
    return [ConfigEntry(name, value, incremental_operation=set_to) for name, value in topic.settings.items()]
