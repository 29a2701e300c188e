"""What rollouts and scorer slots say to each other, in files of the on-prem folder that they share.

    slot    -> rollout   SlotReport: this life of the slot, and the scorer that it runs
    rollout -> slot      SlotOrder: run this scorer; SlotSignal: send it a signal
    slot    -> rollout   EndedScorer: what became of an order whose slot has ended

A slot is a program that waits, runs one scorer and ends, to be started again. Each such *life* has a mark of its own,
and an order is for one life: whoever asks whether a scorer lives compares the marks, and looks whether the slot holds
its lock. No process number is said: the two may live in different namespaces.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from contract.messages.codec import Message
from contract.messages.listener import Name

SignalName: TypeAlias = Literal["SIGTERM", "SIGKILL"]


class SlotReport(Message, frozen=True):
    """A slot as it stands: `scorer` is the one that it runs, None while it waits for an order."""

    slot: Name
    life: Name
    host: str
    """The host name that it has, of its container for example."""
    scorer: Name | None = None


class SlotOrder(Message, frozen=True):
    """Run a scorer of this name. It stays in its file for as long as the scorer runs: the rollout's record of it."""

    slot: Name
    life: Name
    name: Name
    pipeline: Name
    version: Name | None
    """None: a scorer without a model."""
    bundle: str | None
    """Its file, relative to the on-prem folder."""
    golden: bool = False
    """Noted by the rollout: it has answered the golden requests."""


class SlotSignal(Message, frozen=True):
    """Send the scorer of this life a signal."""

    life: Name
    signal: SignalName


class EndedScorer(Message, frozen=True):
    """A scorer whose slot has ended. `taken`: the slot had begun to run it."""

    order: SlotOrder
    taken: bool
