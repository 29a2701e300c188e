"""Hands one record to a broker, and says what the broker says of it."""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer

from contract.layout import Kafka

TAKEN_WITHIN_S: Final = 30.0
"""A broker that elects a leader, or shares two busy cores with all the others, takes a record after ten seconds."""


def send_record(kafka: Kafka, topic: str, key: bytes, value: bytes, timeout_s: float) -> str | None:
    """None once the broker has the record, else why it has not."""
    told: list[KafkaError | None] = []
    settings = kafka.client(enable_idempotence=True, message_timeout_ms=round(timeout_s * 1000)) | {"log_level": 0}
    try:
        producer = Producer(settings)
        producer.produce(topic, value, key, on_delivery=lambda error, _: told.append(error))
        producer.flush(timeout_s + 2)
    except KafkaException as error:
        return str(error)
    if not told:
        return f"no answer within {timeout_s:g} s"
    return str(told[0]) if told[0] else None
