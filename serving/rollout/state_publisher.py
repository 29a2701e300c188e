"""Telling the states of models to the on-prem topic `<pipeline>.models`, as often as the broker is there."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaException, Message, Producer

from contract.layout import Kafka

_BATCH: Final = 100
_GIVE_UP_MS: Final = 10_000

log = logging.getLogger("rollout")


class StatePublisher:
    """Sends records in their order, one batch at a time; `acknowledged` says how many the broker has taken."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        quiet = logging.getLogger("kafka.rollout")
        quiet.setLevel("CRITICAL")  # it would repeat itself every second of an outage; `_told` says it once
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
        self._sent = self._taken = self._failed = 0

    def offer(self, unsent: Sequence[Mapping[str, Any]]) -> int:
        """Send the oldest unsent records unless a batch is under way; how many of them the broker has by now.

        The caller drops so many and offers the rest next time. After a failure the batch is sent again from the
        first record that was not taken: a record may come twice, never out of order.
        """
        self._producer.poll(0)
        if self._sent > self._taken + self._failed:
            return 0
        taken, self._sent, self._taken, self._failed = self._taken, 0, 0, 0
        for record in unsent[taken : taken + _BATCH]:
            try:
                self._producer.produce(
                    self._topic, json.dumps(record).encode(), str(record["version"]).encode(), on_delivery=self._told
                )
            except (BufferError, KafkaException) as error:
                log.warning("cannot send a model's state to %s now: %s", self._topic, error)
                break
            self._sent += 1
        return taken

    def close(self, timeout_s: float) -> None:
        self._producer.flush(timeout_s)

    def _told(self, error: object, _: Message) -> None:
        if error is None and not self._failed:
            self._taken += 1
            self._is_away = False
            return
        self._failed += 1
        if not self._is_away:
            log.warning("the on-prem broker does not take the models' states; they wait in models.json: %s", error)
        self._is_away = True
