"""The files in which slots and rollouts meet. Everything here is read and written under one lock, for a moment each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from contract.data_folder import DataFolder
from contract.files import exclusive_lock, is_locked, write_durably
from contract.messages.codec import Message, Unreadable, decode, encode
from contract.messages.slots import EndedScorer, SlotOrder, SlotReport, SlotSignal

M = TypeVar("M", bound=Message)

log = logging.getLogger("slots")


@dataclass(frozen=True)
class Slot:
    """A slot, living or not, and the order that lies there."""

    report: SlotReport
    is_alive: bool
    order: SlotOrder | None

    @property
    def name(self) -> str:
        return self.report.slot

    @property
    def is_free(self) -> bool:
        return self.is_alive and self.order is None and self.report.scorer is None

    @property
    def runs_order(self) -> bool:
        """Whether its order is for the life that it has now."""
        return self.is_alive and self.order is not None and self.order.life == self.report.life

    @property
    def has_taken(self) -> bool:
        """Whether it has begun to run its order, in this life or in its last one."""
        return self.order is not None and (self.order.life, self.order.name) == (self.report.life, self.report.scorer)


class SlotFiles:
    """Inside `with files.alone():` nobody else changes anything; every other method is called there."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder

    def are_used(self) -> bool:
        """Whether there have ever been slots here."""
        return self._folder.slots.exists()

    @contextmanager
    def alone(self) -> Iterator[None]:
        self._folder.ended_scorers.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(self._folder.slots_lock, wait=True):
            yield

    def all(self) -> list[Slot]:
        """Every slot that there has been, by name."""
        reports = (_read(path, SlotReport) for path in sorted(self._folder.slots.glob("*.report.json")))
        return [slot for report in reports if report and (slot := self.named(report.slot))]

    def named(self, name: str) -> Slot | None:
        """None where none of that name has reported."""
        report = _read(self._folder.slot_report(name), SlotReport)
        if report is None:
            return None
        return Slot(report, is_locked(self._folder.slot_lock(name)), _read(self._folder.slot_order(name), SlotOrder))

    def ended(self) -> list[EndedScorer]:
        """The scorers that were set aside, by name."""
        found = (_read(path, EndedScorer) for path in sorted(self._folder.ended_scorers.glob("*.json")))
        return [each for each in found if each]

    def report(self, report: SlotReport) -> None:
        write_durably(self._folder.slot_report(report.slot), encode(report))

    def order(self, order: SlotOrder) -> None:
        write_durably(self._folder.slot_order(order.slot), encode(order))

    def send(self, slot: str, signal: SlotSignal) -> None:
        write_durably(self._folder.slot_signal(slot), encode(signal))

    def take_signal(self, slot: str, life: str) -> SlotSignal | None:
        """The signal for this life, once; one for another life goes, too."""
        path = self._folder.slot_signal(slot)
        signal = _read(path, SlotSignal)
        path.unlink(missing_ok=True)
        return signal if signal and signal.life == life else None

    def set_aside(self, slot: Slot) -> None:
        """The slot does not run its order, or does so no more: it becomes free, and the rollout can still see it."""
        if slot.order:
            ended = EndedScorer(order=slot.order, taken=slot.has_taken)
            write_durably(self._ended(slot.order.name), encode(ended))
        self._folder.slot_order(slot.name).unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """Remove the order of a scorer that has ended, wherever it lies."""
        self._ended(name).unlink(missing_ok=True)
        for slot in self.all():
            if slot.order and slot.order.name == name:
                self._folder.slot_order(slot.name).unlink(missing_ok=True)

    def _ended(self, scorer: str) -> Path:
        return self._folder.ended_scorers / f"{scorer}.json"


def _read(path: Path, kind: type[M]) -> M | None:
    """A message; None where there is none, or where it does not read, which is logged."""
    try:
        return decode(path.read_bytes(), kind)
    except FileNotFoundError:
        return None
    except Unreadable as error:
        log.error("message is passed over file=%s why=%r", path, str(error))
        return None
