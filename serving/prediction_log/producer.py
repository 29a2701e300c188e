"""The prediction log: answers on their way to the on-prem broker; no answer waits for it.

    log -> librdkafka's queue -> broker
              | no room, or not taken within half a minute, or the scorer stops
              v
            spool on disk -> the same queue, once the broker answers, by whichever scorer lives then

`log` puts a record into a queue, and into the spool itself only where every queue is full; a thread does the rest. A
record is lost only where the spool has no room. One may come twice after a failure, with the same `prediction_id`;
the first one counts.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from contract.layout import Kafka
from contract.metrics import PREDICTION_QUEUE, PREDICTION_SPOOL, PREDICTIONS_LOGGED, PROBLEMS
from contract.pipeline import Pipeline
from contract.process_end import OnEnd, VitalThread, give_up
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
    "log_level": 0,  # its messages come by `error_cb`, too
}
_OVERFLOW_RECORDS: Final = 10_000
"""So many records may wait in memory to be spooled by the thread; beyond that `log` spools them itself."""
_SPOOL_AT_ONCE: Final = 1_000
_SEND_AT_ONCE: Final = 1_000
"""So many records of the spool may be in the queue, so that it has room for new ones."""
_POLL_S: Final = 0.1
_LOOK_EVERY_S: Final = 5.0
_ANSWER_WITHIN_S: Final = 2.0
_STALLED_S: Final = 2.0
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


Reported = Callable[[KafkaError | None, Message | None], None]
"""What librdkafka calls when it knows whether the broker has a record."""


class PredictionLog:
    """One producer to `<pipeline>.predictions`, and its spool. Records of an entity keep their order unless one has to
    be sent again, or waits in the spool."""

    def __init__(self, kafka: Kafka, pipeline: Pipeline, spool: Spool, on_end: OnEnd = give_up) -> None:
        """`on_end` is called when the thread has ended unasked."""
        self._topic, self._spool = pipeline.predictions_topic, spool
        self._counts = {
            outcome: PREDICTIONS_LOGGED.labels(pipeline=pipeline.name, outcome=outcome)
            for outcome in ("delivered", "spooled", "refused", "dropped")
        }
        self._queue = PREDICTION_QUEUE.labels(pipeline=pipeline.name)
        PREDICTION_SPOOL.labels(pipeline=pipeline.name).set_function(spool.size)
        self._producer = Producer(kafka.client() | _SETTINGS | {"error_cb": self._say_outage})
        self._overflow: deque[tuple[bytes, bytes]] = deque()
        self._said_at = float("-inf")
        self._looked_at = float("-inf")
        self._sent_whole: set[Path] = set()
        """Files that could not be removed after they had been sent."""
        self._stopping = Event()
        self._thread = VitalThread("prediction-log", self._follow, self._stopping, on_end)
        self._thread.start()

    def log(self, key: str, record: bytes) -> None:
        """Put a record into the queue; where that and the memory beside it are full, into the spool."""
        try:
            self._producer.produce(self._topic, record, key=key.encode(), on_delivery=self._delivered)
        except BufferError:
            self._spool_later(key.encode(), record)
        except KafkaException as error:
            if error.args[0].code() in _NOT_TAKEN:
                self._spool_later(key.encode(), record)
            else:
                self._refused(str(error))

    def close(self, timeout_s: float) -> None:
        """Within this time: half of it for the broker to take what is queued, the rest to write it to the spool."""
        end_s = time.monotonic() + timeout_s
        self._stopping.set()
        self._producer.flush(timeout_s / 2)
        self._thread.join(max(0.0, (end_s - time.monotonic()) / 2))
        self._producer.purge()
        self._hear_of_purged(end_s)
        self._spool_overflow()
        self._spool.close()

    def _hear_of_purged(self, end_s: float) -> None:
        """Each report is a prediction to be spooled. They need only the processor: wait for them while they come."""
        left, since_s = len(self._producer), time.monotonic()
        while (now_left := self._producer.flush(_POLL_S)) and time.monotonic() < max(end_s, since_s + _STALLED_S):
            if now_left < left:
                left, since_s = now_left, time.monotonic()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self._turn()
            if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
                self._send_spooled()
                self._looked_at = time.monotonic()

    def _turn(self) -> None:
        """Hear of deliveries for a moment, and spool what has no room in the queue."""
        self._producer.poll(_POLL_S)
        self._queue.set(len(self._producer))
        self._spool_overflow()

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._counts["delivered"].inc()
        elif error.code() in _NOT_TAKEN:
            self._spool_later(message.key() or b"", message.value() or b"")
            if not self._stopping.is_set():
                self._say(f"{error.str()}; predictions wait in {self._spool.folder}")
        else:
            self._refused(error.str())

    def _spool_later(self, key: bytes, record: bytes) -> None:
        self._overflow.append((key, record))
        if len(self._overflow) > _OVERFLOW_RECORDS:
            self._spool_some()

    def _spool_overflow(self) -> None:
        """Write all that waits in memory to the spool."""
        while self._overflow:
            self._spool_some()

    def _spool_some(self) -> None:
        """Write the oldest that wait in memory to the spool. Several threads may do so at the same time."""
        records: list[tuple[bytes, bytes]] = []
        with suppress(IndexError):  # no more is there
            while len(records) < _SPOOL_AT_ONCE:
                records.append(self._overflow.popleft())
        self._put(records)

    def _put(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        try:
            self._spool.put_all(records)
            self._counts["spooled"].inc(len(records))
        except OSError as error:
            if len(records) > 1:  # some of them may have room
                for record in records:
                    self._put([record])
                return
            self._counts["dropped"].inc(len(records))
            self._say(f"a prediction is lost: {error}")

    def _send_spooled(self) -> None:
        """Send the spool's files one after the other, and remove each that was taken whole."""
        while self._spool.size() and self._broker_answers() and not self._stopping.is_set():
            with self._spool.oldest(but=self._sent_whole) as path:
                if path is None or not self._sent(path):
                    return
                self._remove(path)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink()
        except OSError as error:
            self._sent_whole.add(path)
            PROBLEMS.labels(part="scorer").inc()
            logger.error("sent predictions cannot be removed, remove them by hand file=%s why=%r", path, str(error))

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
            while len(self._producer) >= _SEND_AT_ONCE and not self._stopping.is_set():
                self._turn()
            if failed or self._stopping.is_set():
                return False
            waiting += 1
            self._produce(key, record, reported)
        while waiting and not self._stopping.is_set():
            self._turn()
        return not failed and not waiting

    def _produce(self, key: bytes, record: bytes, reported: Reported) -> None:
        """Into the queue, as soon as it has room; nothing once the scorer stops."""
        while not self._stopping.is_set():
            try:
                self._producer.produce(self._topic, record, key=key, on_delivery=reported)
            except BufferError:  # full by its bytes
                self._turn()
                continue
            except KafkaException as error:
                reported(error.args[0], None)
            break

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
            logger.warning("predictions do not get through topic=%s why=%r", self._topic, what)
