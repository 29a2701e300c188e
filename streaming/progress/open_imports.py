"""Which imports of history are open, from the records on IMPORTS_TOPIC in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import Message

from contract.messages.codec import Unreadable
from contract.messages.imports import read_import
from streaming.kafka.topic_reader import pass_over


@dataclass(frozen=True)
class OpenImport:
    """The last record that says of a topic that an import into it is open: when it came, and from whom."""

    said_s: float
    by: str


class OpenImports(Mapping[str, OpenImport]):
    """By topic."""

    def __init__(self) -> None:
        self._open: dict[str, OpenImport] = {}

    def take(self, message: Message) -> None:
        """A record that does not read opens and closes nothing. One without a value closes the import of its key."""
        if (value := message.value()) is None:
            self._open.pop((message.key() or b"").decode(errors="replace"), None)
            return
        try:
            notice = read_import(message.key(), value)
        except Unreadable as error:
            pass_over(message, error)
            return
        if notice.open:
            self._open[notice.topic] = OpenImport(message.timestamp()[1] / 1000, notice.by)
        else:
            self._open.pop(notice.topic, None)

    def __getitem__(self, topic: str) -> OpenImport:
        return self._open[topic]

    def __iter__(self) -> Iterator[str]:
        return iter(self._open)

    def __len__(self) -> int:
        return len(self._open)
