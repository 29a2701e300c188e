"""Commands of people to the trainer, on TRAINING_COMMANDS_TOPIC in the cloud: train this pipeline now.

The topic is compacted. A trainer acts on the commands that come while it runs; it trains at its start in any case.
"""

from __future__ import annotations

from contract.messages.codec import Message, Unreadable, decode


class TrainNow(Message, frozen=True, kw_only=True, tag_field="do", tag="train"):
    """Train at the next turn, whether the pipeline is due and has new rows or not."""

    pipeline: str
    who: str = ""
    """Who has asked for it."""
    at_ms: int = 0
    """When, by the sender's clock; milliseconds since 1970."""

    @property
    def key(self) -> bytes:
        return f"train/{self.pipeline}".encode()


def read_command(key: bytes | None, value: bytes) -> TrainNow:
    """A record of the topic.

    Raises:
        Unreadable: it is no command, or its key is not that of its command.
    """
    command: TrainNow = decode(value, TrainNow)
    if key != command.key:
        raise Unreadable(f"its key is not {command.key.decode()!r}")
    return command
