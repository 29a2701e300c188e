"""Requests that wait for the rollout's loop, which alone answers them: from its socket, and from its topic."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from contract.messages.operator_commands import OperatorCommand, Reply, Request

ANSWER_WITHIN_S: Final = 60.0


@dataclass(frozen=True)
class Asked:
    """A request from the socket, at which somebody waits for the answer."""

    request: Request
    _reply: queue.SimpleQueue[Reply] = field(default_factory=queue.SimpleQueue)

    def answer(self, reply: Reply) -> None:
        self._reply.put(reply)

    def wait(self) -> Reply:
        try:
            return self._reply.get(timeout=ANSWER_WITHIN_S)
        except queue.Empty:
            busy = f"the rollout is busy for more than {ANSWER_WITHIN_S:g} s; its log says with what"
            return Reply(ok=False, why=busy)


@dataclass(frozen=True)
class Ordered:
    """A record of the topic. `command` None: it asks for nothing, and only its offset is noted."""

    command: OperatorCommand | None
    next_offset: int
    """The offset after it."""
    topic_id: str | None = None
    """Kafka's id of the topic that the offset is of."""


Pending: TypeAlias = "queue.SimpleQueue[Asked | Ordered]"
