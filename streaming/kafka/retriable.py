"""Which of Kafka's errors pass by themselves: a broker that restarts, or a partition that gets another leader."""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaError, KafkaException

_NOT_YET: Final = frozenset({
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._NOENT,  # "no leader": the topic is being removed, or made anew
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE,
    KafkaError._TRANSPORT,
    KafkaError._UNKNOWN_BROKER,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._WAIT_COORD,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.NOT_CONTROLLER,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
})  # fmt: skip
"""Librdkafka's own flag is set on few of these: it is meant for transactions."""


def is_retriable(error: KafkaError | KafkaException) -> bool:
    """Whether the same question may be answered a little later: "not yet", rather than "no"."""
    cause = error.args[0] if isinstance(error, KafkaException) else error
    return isinstance(cause, KafkaError) and (bool(cause.retriable()) or cause.code() in _NOT_YET)
