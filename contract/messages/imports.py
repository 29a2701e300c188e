"""Whoever imports history, to the mirror watcher, on IMPORTS_TOPIC on-prem: an import begins, or has ended.

While an import into a topic is open, no bucket that rests on the topic closes.
"""

from __future__ import annotations

from contract.messages.codec import Message, Unreadable, decode


class ImportNotice(Message, frozen=True, kw_only=True):
    """The Kafka key is the topic: the last record of a topic tells whether an import into it is open."""

    topic: str
    open: bool
    at_ms: int = 0
    by: str = ""
    """Who imports."""

    @property
    def key(self) -> bytes:
        return self.topic.encode()


def read_import(key: bytes | None, value: bytes) -> ImportNotice:
    """A record of the topic.

    Raises:
        Unreadable: it is no notice, or its key is not its topic; it then opens and closes nothing.
    """
    notice: ImportNotice = decode(value, ImportNotice)
    if key != notice.key:
        raise Unreadable(f"its key is not its topic, {notice.topic!r}")
    return notice
