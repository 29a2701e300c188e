"""The commands that people have sent to the trainer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from confluent_kafka import KafkaException, Message

from contract.layout import Kafka
from contract.messages.codec import Unreadable
from contract.messages.commands import TrainNow, read_command
from contract.topics import TRAINING_COMMANDS_TOPIC
from streaming.kafka.topic_reader import TopicReader, pass_over
from training.training_errors import TrainingError

FIRST_LOOK_S: Final = 2.0
"""How long the first look may take to read to the topic's end; after that it is made again."""


class CommandInbox:
    """Reads the commands that come from the start of this process on.

    `started_ms` is when the process started, by the clock of its host. Older commands are passed over without a word:
    a process trains every pipeline once it has started.
    """

    def __init__(self, cloud: Kafka, started_ms: int) -> None:
        self._cloud, self._started_ms = cloud, started_ms
        self._reader: TopicReader | None = None
        self._is_first_look = True

    def new_commands(self) -> list[TrainNow]:
        """Those that have come since the last call. A record that does not read is counted, logged and passed over.

        Raises:
            TrainingError: the cloud broker refuses or is away.
        """
        try:
            return list(self._read())
        except (KafkaException, TimeoutError) as error:
            if self._is_first_look:
                self.close()
            raise TrainingError(f"{TRAINING_COMMANDS_TOPIC} at {self._cloud.bootstrap}: {error}") from error

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _read(self) -> Iterator[TrainNow]:
        if self._reader is None:
            self._reader = TopicReader(self._cloud, TRAINING_COMMANDS_TOPIC, "hotpath-trainer")
        if self._is_first_look:
            yield from _commands(each for each in self._reader.to_end(FIRST_LOOK_S) if self._is_recent(each))
            self._is_first_look = False
        else:
            yield from _commands(self._reader.news())

    def _is_recent(self, message: Message) -> bool:
        stamp_ms: int = message.timestamp()[1]
        return stamp_ms >= self._started_ms


def _commands(messages: Iterable[Message]) -> Iterator[TrainNow]:
    for message in messages:
        try:
            if (value := message.value()) is not None:
                yield read_command(message.key(), value)
        except Unreadable as error:
            pass_over(message, error)
