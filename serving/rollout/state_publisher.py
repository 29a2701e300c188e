"""Publishes the states of models on the on-prem topic `<pipeline>.models`, whenever the broker is there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaException, Message, Producer

from contract.layout import Kafka
from contract.messages.codec import encode
from contract.messages.model_states import ModelState

_BATCH: Final = 100
_GIVE_UP_MS: Final = 10_000

log = logging.getLogger("rollout")


class StatePublisher:
    """Sends records in their order, one batch at a time; `acknowledged` says which ones the broker has taken."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        quiet = logging.getLogger("kafka.rollout")
        quiet.setLevel("CRITICAL")  # the client repeats itself every second of an outage; `_delivered` logs it once
        self._topic = topic
        self._is_away = False
        self._producer = Producer(
            kafka.client(
                acks="all",
                max_in_flight_requests_per_connection=1,
                message_timeout_ms=_GIVE_UP_MS,
                linger_ms=0,
                client_id="hotpath-rollout",
                reconnect_backoff_max_ms=2000,
            ),
            logger=quiet,
        )
        self._batch: tuple[ModelState, ...] = ()
        self._taken = self._failed = 0

    def acknowledged(self) -> tuple[ModelState, ...]:
        """The records of the last batch that the broker has taken; empty while the batch is under way.

        The caller drops them from those that it offers. After a failure the batch is sent again from the first record
        that was not taken: a record may come twice, never out of order.
        """
        self._producer.poll(0)
        if self._is_under_way:
            return ()
        taken = self._batch[: self._taken]
        self._batch, self._taken, self._failed = (), 0, 0
        return taken

    def offer(self, unsent: Sequence[ModelState]) -> None:
        """Send the oldest of these, unless a batch is under way."""
        if self._batch:
            return
        for record in unsent[:_BATCH]:
            try:
                self._producer.produce(
                    self._topic, encode(record), record.version.encode(), on_delivery=self._delivered
                )
            except (BufferError, KafkaException) as error:
                log.warning("cannot publish a model's state now topic=%s why=%r", self._topic, str(error))
                break
            self._batch = (*self._batch, record)

    def close(self, timeout_s: float) -> None:
        self._producer.flush(timeout_s)

    @property
    def _is_under_way(self) -> bool:
        return len(self._batch) > self._taken + self._failed

    def _delivered(self, error: object, _: Message) -> None:
        if error is None and not self._failed:
            self._taken += 1
            self._is_away = False
            return
        self._failed += 1
        if not self._is_away:
            log.warning("the on-prem broker does not take model states; they wait in models.json why=%r", str(error))
        self._is_away = True
