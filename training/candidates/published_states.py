"""The models' states as the mirror brings them: the last record of each version on `<pipeline>.models`."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from contract.layout import Kafka
from training.training_errors import TrainingError

TIMEOUT_S = 10.0


def model_states(cloud: Kafka, topic: str) -> dict[str, dict[str, Any]]:
    """Read the compacted topic to its end.

    Raises:
        TrainingError: the cloud broker does not answer.
    """
    settings = cloud.client(group_id=f"{topic}.reader", isolation_level="read_committed", enable_auto_commit=False)
    consumer = Consumer(settings | {"enable.partition.eof": True})
    try:
        partitions = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        return _read_to_end(consumer, len(partitions), topic)
    except KafkaException as error:
        raise TrainingError(f"{topic}: {error}; does the cloud broker {cloud.bootstrap} answer?") from error
    finally:
        consumer.close()


def _read_to_end(consumer: Consumer, open_partitions: int, topic: str) -> dict[str, dict[str, Any]]:
    states: dict[str, dict[str, Any]] = {}
    while open_partitions:
        message = consumer.poll(TIMEOUT_S)
        if message is None:
            raise TrainingError(f"{topic}: no record and no end within {TIMEOUT_S:g} s")
        if (error := message.error()) is not None:
            if error.name() != "_PARTITION_EOF":
                raise KafkaException(error)
            open_partitions -= 1
        elif (key := message.key()) is not None and (value := message.value()) is not None:
            states[key.decode()] = json.loads(value)
    return states
