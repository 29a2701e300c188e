"""Operator commands as records on the on-prem topic `<pipeline>.commands`, of one partition.

The rollout notes in `models.json`, in the same write as a command's effect, how far it has acted: no command acts
twice. A rollout that has noted nothing yet begins at the end: what was ordered before it knew the topic is past.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Final

from confluent_kafka import KafkaException, Message

from contract.layout import Kafka
from contract.messages.codec import Unreadable
from contract.messages.operator_commands import OperatorCommand, read_command
from contract.process_end import VitalThread
from serving.rollout.pending_commands import Ordered, Pending
from streaming.kafka.partition_ends import Ends
from streaming.kafka.topic_reader import TopicReader, pass_over

PARTITION: Final = 0
READ_EVERY_S: Final = 0.5
AGAIN_S: Final = 2.0

log = logging.getLogger("rollout")


class CommandTopic:
    """Follows the topic, and gives each command to the rollout's loop once."""

    def __init__(self, kafka: Kafka, topic: str, next_offset: int | None, pending: Pending) -> None:
        # the client would log every second that the broker is away; `_follow` logs it once
        self._kafka = replace(kafka, settings={**kafka.settings, "log_level": "0"})
        self._topic, self._pending = topic, pending
        self._next = next_offset
        self._is_away = False
        self._stop = threading.Event()

    def start(self) -> None:
        VitalThread("command topic", self._follow, self._stop).start()

    def stop(self) -> None:
        self._stop.set()

    def _follow(self) -> None:
        """Read until told to stop. The rollout needs no broker: one that is away is waited for."""
        while not self._stop.is_set():
            try:
                self._read()
            except KafkaException as error:
                if not self._is_away:
                    log.warning("cannot read commands now, trying again topic=%s why=%r", self._topic, str(error))
                self._is_away = True
            self._stop.wait(AGAIN_S)

    def _read(self) -> None:
        if (start := self._start()) is None:
            return
        self._is_away = False
        if start != self._next:
            self._next = start
            self._pending.put(Ordered(None, start))
        reader = TopicReader(self._kafka, self._topic)
        try:
            while not self._stop.wait(READ_EVERY_S):
                for record in reader.news():
                    self._take(record)
        finally:
            reader.close()

    def _start(self) -> int | None:
        """The offset to go on at; None while there is no such topic."""
        end = Ends(self._kafka).last([(self._topic, PARTITION)]).get((self._topic, PARTITION))
        if end is None or self._next is None:
            return end
        if self._next > end:
            log.error(
                "topic was made anew, reading it from its beginning topic=%s noted_offset=%d", self._topic, self._next
            )
            return 0
        return self._next

    def _take(self, record: Message) -> None:
        offset = record.offset() or 0
        if record.partition() == PARTITION and offset >= (self._next or 0):
            self._next = offset + 1
            self._pending.put(Ordered(self._command(record), self._next))

    def _command(self, record: Message) -> OperatorCommand | None:
        try:
            return read_command(record.value() or b"")
        except Unreadable as error:
            pass_over(record, error)
            return None
