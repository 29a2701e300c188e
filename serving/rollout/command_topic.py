"""Operator commands as records on the on-prem topic `<pipeline>.commands`, of one partition.

The rollout notes in `models.json`, in the same write as a command's effect, how far it has acted: no command acts
twice. A rollout that has noted nothing yet begins at the end: what was ordered before it knew the topic is past.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import Final

from confluent_kafka import KafkaException, Message

from contract.layout import Kafka
from contract.messages.codec import Unreadable
from contract.messages.operator_commands import OperatorCommand, read_command
from contract.process_end import VitalThread
from serving.rollout.pending_commands import Ordered, Pending
from streaming.kafka.partition_ends import Ends
from streaming.kafka.topic_ids import TopicIds
from streaming.kafka.topic_reader import TopicReader, pass_over

PARTITION: Final = 0
READ_EVERY_S: Final = 0.5
AGAIN_S: Final = 2.0
LOOK_EVERY_S: Final = 5.0
"""How often to look whether the topic is still the one that it was."""

log = logging.getLogger("rollout")


@dataclass(frozen=True)
class Noted:
    """How far the rollout has acted: on every command before `next_offset` of the topic with this id.

    Without an offset the topic was never seen; without an id, that of the topic is not known.
    """

    next_offset: int | None = None
    topic_id: str | None = None


class CommandTopic:
    """Follows the topic, and gives each command to the rollout's loop once."""

    def __init__(self, kafka: Kafka, topic: str, noted: Noted, pending: Pending) -> None:
        # the client would log every second that the broker is away; `_follow` logs it once
        self._kafka = replace(kafka, settings={**kafka.settings, "log_level": "0"})
        self._topic, self._noted, self._pending = topic, noted, pending
        self._ids = TopicIds(self._kafka)
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
        """Read until told to stop, or until the topic is made anew."""
        start = self._start()
        if start is None:
            return
        self._is_away = False
        if start != self._noted:
            self._note(start.next_offset or 0, None, start.topic_id)
        reader, look_at_s = TopicReader(self._kafka, self._topic), time.monotonic() + LOOK_EVERY_S
        try:
            while not self._stop.wait(READ_EVERY_S):
                if time.monotonic() >= look_at_s:
                    if self._topic_id() not in (None, self._noted.topic_id):
                        return
                    look_at_s = time.monotonic() + LOOK_EVERY_S
                for record in reader.news():
                    self._take(record)
        finally:
            reader.close()

    def _start(self) -> Noted | None:
        """Where to go on; None while there is no such topic."""
        topic_id, noted = self._topic_id(), self._noted
        end = Ends(self._kafka).last([(self._topic, PARTITION)]).get((self._topic, PARTITION))
        if end is None:
            return None
        if noted.next_offset is None:
            return Noted(end, topic_id)
        is_anew = noted.next_offset > end or (None not in (topic_id, noted.topic_id) and topic_id != noted.topic_id)
        if is_anew:
            log.error("topic was made anew, reading it from its beginning topic=%s noted=%s", self._topic, noted)
        return Noted(0 if is_anew else noted.next_offset, topic_id or noted.topic_id)

    def _topic_id(self) -> str | None:
        return self._ids.of([self._topic]).get(self._topic)

    def _take(self, record: Message) -> None:
        offset = record.offset() or 0
        if record.partition() == PARTITION and offset >= (self._noted.next_offset or 0):
            self._note(offset + 1, self._command(record), self._noted.topic_id)

    def _note(self, next_offset: int, command: OperatorCommand | None, topic_id: str | None) -> None:
        self._noted = Noted(next_offset, topic_id)
        self._pending.put(Ordered(command, next_offset, topic_id))

    def _command(self, record: Message) -> OperatorCommand | None:
        try:
            return read_command(record.value() or b"")
        except Unreadable as error:
            pass_over(record, error)
            return None
