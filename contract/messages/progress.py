"""The mirror watcher to the streaming process, on PROGRESS_TOPIC in the cloud: how far the mirror has come.

Every update carries everything about its partition, so that the topic may be compacted. What the mirror can no longer
carry, because retention took it, stands in a record of its own: a `LossNotice`. A record without a value says that what
its key is about is to be forgotten: the topic was deleted on purpose.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, Literal

import msgspec

from contract.messages.codec import Message, Unreadable, decode

Offset = Annotated[int, msgspec.Meta(ge=0)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000)]
"""Since 1970, up to the year 9999."""

_LOSS_KEY: Final = b"loss:"
"""A topic's name has no colon: no partition has such a key."""


class ProgressUpdate(Message, frozen=True, kw_only=True):
    """How far the mirror has come with one partition; the Kafka key is `<topic>/<partition>`."""

    topic: str
    partition: Offset
    caught_up_to_ms: Milliseconds
    """Every record stamped on-prem before this is in the cloud, before `cloud_offset`."""
    cloud_offset: Offset
    """Exclusive."""
    onprem_offset: Offset
    """Exclusive: the end that was seen."""
    mirrored_offset: Offset
    """Exclusive: how far the mirror has come."""
    import_open: bool
    """While true, `caught_up_to_ms` stands still."""
    at_ms: Milliseconds
    """The watcher's clock."""
    topic_id: str | None = None
    """Kafka's id of the on-prem topic; a topic that was made anew has another. None where it is not known."""

    @property
    def key(self) -> bytes:
        return f"{self.topic}/{self.partition}".encode()


class LossNotice(Message, frozen=True, kw_only=True):
    """Records of a partition that nobody can read any more; the Kafka key is `loss:<id>`.

    `count` is at most how many: markers of transactions have offsets, too. None where nobody knows.
    """

    where: Literal["mirror", "hot query"]
    topic: str
    partition: Offset
    from_offset: Offset
    to_offset: Offset | None
    """Exclusive; None for a topic that was made anew: its old end is not known."""
    count: Offset | None
    after_ms: Milliseconds | None
    """All of them were stamped at this moment or later; None where nobody knows."""
    before_ms: Milliseconds
    """All of them were stamped before this moment."""
    at_ms: Milliseconds
    """When it was found."""

    @property
    def id(self) -> str:
        """The same for the same loss, however often it is found."""
        end = f"to {self.to_offset}" if self.to_offset is not None else f"before {self.before_ms}"
        said = f"{self.where} {self.topic} {self.partition} {self.from_offset} {end}"
        return hashlib.sha256(said.encode()).hexdigest()[:8]

    @property
    def key(self) -> bytes:
        return _LOSS_KEY + self.id.encode()


def partition_of(key: bytes) -> tuple[str, int] | None:
    """The partition that records with this key are about; None for any other key."""
    topic, _, number = key.decode(errors="replace").rpartition("/")
    return (topic, int(number)) if topic and re.fullmatch(r"[0-9]{1,10}", number) else None


def loss_of(key: bytes) -> str | None:
    """The id of the loss that records with this key are about; None for any other key."""
    return key.removeprefix(_LOSS_KEY).decode(errors="replace") if key.startswith(_LOSS_KEY) else None


def read_progress(key: bytes | None, value: bytes) -> ProgressUpdate | LossNotice:
    """A record of the topic.

    Raises:
        Unreadable: it is neither, or its key is not its own.
    """
    is_loss = (key or b"").startswith(_LOSS_KEY)
    message = decode(value, LossNotice) if is_loss else decode(value, ProgressUpdate)
    if key != message.key:
        raise Unreadable(f"its key is not {message.key!r}")
    return message
