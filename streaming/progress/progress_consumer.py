"""Follows the watcher's topic, in a thread of its own, and puts its news on the board."""

from __future__ import annotations

import json
import logging
import threading

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from contract.layout import Kafka
from contract.metrics import PROBLEMS
from contract.topics import PROGRESS_TOPIC
from streaming.progress.watermark import ProgressUpdate, ProgressUpdates

log = logging.getLogger("progress")
PAUSE_S = 2.0


def follow_progress(kafka: Kafka, board: ProgressUpdates, stop: threading.Event) -> None:
    """Read until `stop` is set; a broker that is away is waited for."""
    while not stop.is_set():
        try:
            _follow(kafka, board, stop)
        except KafkaException as error:
            log.warning("cannot read %s at %s, trying again: %s", PROGRESS_TOPIC, kafka.bootstrap, error)
            PROBLEMS.labels(part="streaming").inc()
            stop.wait(PAUSE_S)


def _follow(kafka: Kafka, board: ProgressUpdates, stop: threading.Event) -> None:
    settings = kafka.client(group_id="hotpath-progress", enable_auto_commit=False, isolation_level="read_committed")
    consumer = Consumer(settings)
    try:
        consumer.assign([TopicPartition(PROGRESS_TOPIC, 0, OFFSET_BEGINNING)])
        while not stop.is_set():
            for message in consumer.consume(500, timeout=0.5):
                _take(message, board)
    finally:
        consumer.close()


def _take(message: Message, board: ProgressUpdates) -> None:
    if (error := message.error()) is not None:
        raise KafkaException(error)
    if (value := message.value()) is not None:
        record = json.loads(value)
        news = ProgressUpdate(*(record[name] for name in ("caught_up_to_ms", "cloud_offset", "import_open", "at_ms")))
        board.add((record["topic"], record["partition"]), news)
