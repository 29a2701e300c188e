"""The prediction log: answers on their way to the on-prem broker, never in an answer's way.

librdkafka's own threads send; `log` only puts a record into its bounded queue. What does not fit is dropped and
counted, what the broker does not take within five minutes has failed and is counted too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from monitoring.metrics import PREDICTION_QUEUE, PREDICTIONS_LOGGED
from streaming.pipeline import Pipeline
from streaming.places import Kafka

logger = logging.getLogger("scorer.predictions")

_SETTINGS: Final[dict[str, object]] = {
    "enable.idempotence": True,
    "linger.ms": 20,
    "compression.type": "lz4",
    "queue.buffering.max.messages": 100_000,
    "queue.buffering.max.kbytes": 64 * 1024,
    "message.timeout.ms": 300_000,
    "message.max.bytes": 8 * 1024 * 1024,
    "reconnect.backoff.max.ms": 5_000,
    "log_level": 0,  # what it has to say comes by `error_cb` too
}
_POLL_S: Final = 0.1
_SAY_EVERY_S: Final = 30.0


class PredictionLog:
    """One producer to `<pipeline>.predictions`; records with the same entity keep their order."""

    def __init__(self, kafka: Kafka, pipeline: Pipeline) -> None:
        self._topic = pipeline.predictions_topic
        self._counts = {
            outcome: PREDICTIONS_LOGGED.labels(pipeline=pipeline.name, outcome=outcome)
            for outcome in ("delivered", "failed", "dropped")
        }
        self._queue = PREDICTION_QUEUE.labels(pipeline=pipeline.name)
        self._producer = Producer(kafka.client() | _SETTINGS | {"error_cb": self._say})
        self._said_at = float("-inf")

    def log(self, key: str, record: bytes) -> None:
        """Put a record into the queue, or count it as dropped. Never waits."""
        try:
            self._producer.produce(self._topic, record, key=key.encode(), on_delivery=self._delivered)
        except (BufferError, KafkaException) as error:
            self._counts["dropped"].inc()
            logger.debug("a prediction was dropped: %s", error)

    async def report(self) -> None:
        """Count deliveries as they are reported, until cancelled."""
        while True:
            self._producer.poll(0)
            self._queue.set(len(self._producer))
            await asyncio.sleep(_POLL_S)

    async def flush(self, timeout_s: float) -> None:
        """Send what waits; what is left after the timeout is counted as dropped."""
        left = await asyncio.to_thread(self._producer.flush, timeout_s)
        self._counts["dropped"].inc(left)
        if left:
            logger.warning("%d predictions were not taken by %s within %g s and are lost", left, self._topic, timeout_s)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        self._counts["failed" if error else "delivered"].inc()
        if error:
            logger.debug("a prediction was not delivered: %s", error)

    def _say(self, error: KafkaError) -> None:
        """Log what Kafka complains of, but an outage only every half minute."""
        if time.monotonic() - self._said_at >= _SAY_EVERY_S:
            self._said_at = time.monotonic()
            logger.warning("%s: %s; predictions wait in the queue", self._topic, error.str())
