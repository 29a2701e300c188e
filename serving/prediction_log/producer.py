"""The prediction log: answers on their way to the on-prem broker, never in an answer's way.

    log -> librdkafka's queue -> broker
              | no room, or not taken within half a minute, or the scorer leaves
              v
            spool on disk -> the same queue, once the broker answers, by whichever scorer lives then

`log` puts a record into a bounded queue and nothing else; a thread of its own hears of deliveries and does the rest. A
record may come twice after a failure, with the same `prediction_id`; the first one counts.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from contract.layout import Kafka
from contract.metrics import PREDICTION_QUEUE, PREDICTION_SPOOL, PREDICTIONS_LOGGED, PROBLEMS
from contract.pipeline import Pipeline
from serving.prediction_log.disk_spool import Spool, spooled

logger = logging.getLogger("scorer.predictions")

_SETTINGS: Final[dict[str, object]] = {
    # with few requests in flight, as idempotence needs it, librdkafka spins as soon as a broker lets them wait
    "enable.idempotence": False,
    "acks": "all",
    "linger.ms": 20,
    "compression.type": "lz4",
    "queue.buffering.max.messages": 100_000,
    "queue.buffering.max.kbytes": 64 * 1024,
    "message.timeout.ms": 30_000,
    "message.max.bytes": 8 * 1024 * 1024,
    "reconnect.backoff.max.ms": 5_000,
    "log_level": 0,  # what it has to say comes by `error_cb` too
}
_OVERFLOW_RECORDS: Final = 10_000
_SEND_AT_ONCE: Final = 1_000
"""Of the spool: the queue stays free for what is asked now."""
_POLL_S: Final = 0.1
_LOOK_EVERY_S: Final = 5.0
_ANSWER_WITHIN_S: Final = 2.0
_SAY_EVERY_S: Final = 30.0
_NOT_TAKEN: Final = frozenset(
    {
        KafkaError._MSG_TIMED_OUT,
        KafkaError._PURGE_QUEUE,
        KafkaError._PURGE_INFLIGHT,
        KafkaError._UNKNOWN_TOPIC,  # not made yet, or a cluster that has lost it
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""Errors after which the same record may well be delivered later; with any other the broker refuses it."""


class PredictionLog:
    """One producer to `<pipeline>.predictions`, and its spool. Records of an entity keep their order unless one has to
    be sent again."""

    def __init__(self, kafka: Kafka, pipeline: Pipeline, spool: Spool) -> None:
        self._topic, self._spool = pipeline.predictions_topic, spool
        self._counts = {
            outcome: PREDICTIONS_LOGGED.labels(pipeline=pipeline.name, outcome=outcome)
            for outcome in ("delivered", "spooled", "refused", "dropped")
        }
        self._queue = PREDICTION_QUEUE.labels(pipeline=pipeline.name)
        PREDICTION_SPOOL.labels(pipeline=pipeline.name).set_function(spool.size)
        self._producer = Producer(kafka.client() | _SETTINGS | {"error_cb": self._say_outage})
        self._overflow: Queue[tuple[bytes, bytes]] = Queue(_OVERFLOW_RECORDS)
        self._said_at = float("-inf")
        self._looked_at = float("-inf")
        self._stopping = Event()
        self._thread = Thread(target=self._follow, name="prediction-log", daemon=True)
        self._thread.start()

    def log(self, key: str, record: bytes) -> None:
        """Put a record into the queue, or count it as dropped. Never waits."""
        try:
            self._producer.produce(self._topic, record, key=key.encode(), on_delivery=self._delivered)
        except BufferError:
            self._overflowed(key.encode(), record)
        except KafkaException as error:
            if error.args[0].code() in _NOT_TAKEN:
                self._overflowed(key.encode(), record)
            else:
                self._refused(str(error))

    def close(self, timeout_s: float) -> None:
        """Wait so long for the broker to take what is queued, write the rest to the spool, and stop."""
        self._stopping.set()
        self._thread.join()
        if self._producer.flush(timeout_s):
            self._producer.purge()
            self._producer.flush(timeout_s)  # the reports of what was purged
        self._spool_overflow()
        self._spool.close()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)
            self._queue.set(len(self._producer))
            self._spool_overflow()
            if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
                self._send_spooled()
                self._looked_at = time.monotonic()

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._counts["delivered"].inc()
        elif error.code() in _NOT_TAKEN:
            self._put(message.key() or b"", message.value() or b"")
            self._say(f"{error.str()}; predictions wait in {self._spool.folder}")
        else:
            self._refused(error.str())

    def _overflowed(self, key: bytes, record: bytes) -> None:
        try:
            self._overflow.put_nowait((key, record))
        except Full:
            self._counts["dropped"].inc()

    def _spool_overflow(self) -> None:
        while True:
            try:
                self._put(*self._overflow.get_nowait())
            except Empty:
                return

    def _put(self, key: bytes, record: bytes) -> None:
        try:
            self._spool.put(key, record)
            self._counts["spooled"].inc()
        except OSError as error:
            self._counts["dropped"].inc()
            self._say(f"a prediction is lost: {error}")

    def _send_spooled(self) -> None:
        """Send the spool's files one after the other, and remove each that was taken whole."""
        while self._spool.size() and self._broker_answers() and not self._stopping.is_set():
            with self._spool.oldest() as path:
                if path is None or not self._sent(path):
                    return
                path.unlink()

    def _sent(self, path: Path) -> bool:
        """Whether every record of a file has been taken, or refused for good."""
        waiting, failed = 0, False

        def reported(error: KafkaError | None, _: Message | None) -> None:
            nonlocal waiting, failed
            waiting -= 1
            if error is None:
                self._counts["delivered"].inc()
            elif error.code() in _NOT_TAKEN:
                failed = True
            else:
                self._refused(error.str())

        for key, record in spooled(path):
            while len(self._producer) >= _SEND_AT_ONCE:
                self._producer.poll(_POLL_S)
            if failed or self._stopping.is_set():
                return False
            waiting += 1
            try:
                self._producer.produce(self._topic, record, key=key, on_delivery=reported)
            except KafkaException as error:
                reported(error.args[0], None)
        while waiting:
            self._producer.poll(_POLL_S)
        return not failed

    def _broker_answers(self) -> bool:
        """Whether the broker is there, and has the topic."""
        try:
            known = self._producer.list_topics(self._topic, timeout=_ANSWER_WITHIN_S)
        except KafkaException:
            return False
        return known.topics[self._topic].error is None

    def _refused(self, why: str) -> None:
        self._counts["refused"].inc()
        PROBLEMS.labels(part="scorer").inc()
        self._say(f"a prediction was refused: {why}")

    def _say_outage(self, error: KafkaError) -> None:
        self._say(f"{error.str()}; predictions wait here, then in {self._spool.folder}")

    def _say(self, what: str) -> None:
        """Log it, but only every half minute: it may hold for each of thousands of records."""
        if time.monotonic() - self._said_at >= _SAY_EVERY_S:
            self._said_at = time.monotonic()
            logger.warning("%s: %s", self._topic, what)
