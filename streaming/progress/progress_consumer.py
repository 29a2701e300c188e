"""Follows the watcher's topic, in a thread of its own, and keeps its updates for the pipelines."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from confluent_kafka import KafkaException, Message

from contract.layout import Kafka
from contract.messages.codec import Unreadable
from contract.messages.progress import LossNotice, ProgressUpdate, read_progress
from contract.metrics import PROBLEMS
from contract.topics import PROGRESS_TOPIC
from streaming.kafka.partition_ends import Ends
from streaming.kafka.topic_reader import TopicReader, pass_over
from streaming.progress.watermark import Partition, ProgressUpdates

log = logging.getLogger("progress")
PAUSE_S = 2.0
WAIT_S = 0.5
CLOCKS_APART_MS = 300_000
"""An update from further in the future is refused: it would count as fresh for as long."""


def follow_progress(kafka: Kafka, updates: ProgressUpdates, stop: threading.Event) -> None:
    """Read until `stop` is set. A broker that is away is waited for; a record that does not read is passed over."""
    while not stop.is_set():
        try:
            _follow(kafka, updates, stop)
        except KafkaException as error:
            log.warning("cannot read, trying again topic=%s brokers=%s: %s", PROGRESS_TOPIC, kafka.bootstrap, error)
            PROBLEMS.labels(part="streaming").inc()
            stop.wait(PAUSE_S)


def _follow(kafka: Kafka, updates: ProgressUpdates, stop: threading.Event) -> None:
    reader, exists = TopicReader(kafka, PROGRESS_TOPIC, "hotpath-progress"), KnownPartitions(Ends(kafka).partitions)
    try:
        while not stop.is_set():
            for message in reader.news(WAIT_S):
                take(message, updates, exists, round(time.time() * 1000))
            if not reader.reached:
                stop.wait(WAIT_S)  # the topic does not exist yet
    finally:
        reader.close()


class KnownPartitions:
    """Whether the cloud has a partition: an update about one that it lacks would hold back its topic for ever."""

    def __init__(self, partitions: Callable[[list[str]], list[Partition]]) -> None:
        self._ask = partitions
        self._known: set[Partition] = set()

    def __call__(self, partition: Partition) -> bool:
        if partition not in self._known:
            self._known |= set(self._ask([partition[0]]))
        return partition in self._known


def take(message: Message, updates: ProgressUpdates, exists: Callable[[Partition], bool], now_ms: int) -> None:
    """Keep what a record says; one that cannot be right is counted, logged and passed over."""
    if (value := message.value()) is None:
        updates.forget(message.key() or b"")
        return
    try:
        update = read_progress(message.key(), value)
    except Unreadable as error:
        pass_over(message, error)
        return
    newest_ms = max(update.at_ms, update.caught_up_to_ms if isinstance(update, ProgressUpdate) else 0)
    if newest_ms > now_ms + CLOCKS_APART_MS:
        pass_over(message, f"it is {(newest_ms - now_ms) / 1000:.0f} s ahead of this host's clock")
    elif isinstance(update, LossNotice):
        updates.lose(update)
    elif not exists((update.topic, update.partition)):
        pass_over(message, f"the cloud has no partition {update.topic}/{update.partition}")
    else:
        updates.add((update.topic, update.partition), update)
