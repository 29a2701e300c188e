"""Scorers in slots: programs that wait for an order on the folder that they share with the rollout, and run one scorer.

They may be containers: nothing here knows a process number. See contract/messages/slots.py and serving/slots/slot.py.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from contract import variables
from contract.layout import Places
from contract.messages.listener import ConnectedScorer
from contract.messages.slots import SlotOrder, SlotSignal
from serving.rollout.plan import UnrecordedScorer
from serving.rollout.scorer_host import HostedScorer, new_name, remove_traces, trouble_of
from serving.slots.slot_files import Slot, SlotFiles

log = logging.getLogger("rollout")


class ScorerSlots:
    """The `ScorerHost` of one pipeline whose scorers run in slots, which it shares with other pipelines."""

    def __init__(self, places: Places, pipeline: str) -> None:
        self._places, self._pipeline = places, pipeline
        self._files = SlotFiles(places.folder)
        self._deaf: set[str] = set()
        """Lives of slots that did not take their order: they get no other one."""

    def ready(self) -> str | None:
        with self._files.alone():
            slots = self._files.all()
        if self._free(slots):
            return None
        alive = sum(slot.is_alive for slot in slots)
        if not alive:
            return "no scorer slot is alive; start the scorers (docker compose up -d scorer)"
        return (
            f"no scorer slot is free, {alive} are taken; one that drains becomes free, or raise {variables.SLOTS.name}"
        )

    def start(self, version: str | None, bundle: Path | None) -> bool:
        name = new_name(self._pipeline, version)
        with self._files.alone():
            slot = next(iter(self._free(self._files.all())), None)
            if slot is not None:
                self._files.order(self._order(slot, name, version, bundle))
        if slot is not None:
            log.info("scorer ordered name=%s slot=%s host=%s", name, slot.name, slot.report.host)
        return slot is not None

    def list(self) -> Sequence[HostedScorer]:
        with self._files.alone():
            slots, ended = self._files.all(), self._files.ended()
        hosted = [self._hosted(slot.order, slot.runs_order, slot.has_taken) for slot in slots if slot.order]
        gone = [self._hosted(each.order, False, each.taken) for each in ended]
        return tuple(scorer for scorer in (*hosted, *gone) if scorer)

    def signal(self, name: str, number: int) -> None:
        """A slot that has not even taken its order gets no signal: its order is withdrawn."""
        with self._files.alone():
            slot = self._running(name)
            if slot is None:
                return
            if slot.has_taken:
                kind: SlotSignal = msgspec.convert(
                    {"life": slot.report.life, "signal": signal.Signals(number).name}, SlotSignal
                )
                self._files.send(slot.name, kind)
            else:
                self._deaf.add(slot.report.life)
                self._files.set_aside(slot)

    def note_golden(self, name: str) -> None:
        with self._files.alone():
            slot = self._running(name)
            if slot is not None and slot.order is not None:
                self._files.order(msgspec.structs.replace(slot.order, golden=True))

    def forget(self, name: str) -> None:
        with self._files.alone():
            self._files.forget(name)
        remove_traces(self._places, name)

    def unrecorded(self, unknown: Iterable[ConnectedScorer]) -> Sequence[UnrecordedScorer]:
        """Those whose order was removed or damaged while their slots ran them."""
        found = {each.name: each for each in unknown}
        if not found:
            return ()
        with self._files.alone():
            slots = self._files.all()
        names = [slot.report.scorer for slot in slots if slot.is_alive and slot.order is None]
        return tuple(UnrecordedScorer(name, found[name].model) for name in names if name in found)

    def adopt(self, scorer: UnrecordedScorer) -> None:
        """Write its order anew."""
        with self._files.alone():
            slot = next((each for each in self._files.all() if each.report.scorer == scorer.name), None)
            if slot is not None and slot.order is None:
                bundle = self._places.folder.bundle(self._pipeline, scorer.version) if scorer.version else None
                self._files.order(self._order(slot, scorer.name, scorer.version, bundle))

    def _free(self, slots: Iterable[Slot]) -> Sequence[Slot]:
        return tuple(slot for slot in slots if slot.is_free and slot.report.life not in self._deaf)

    def _running(self, name: str) -> Slot | None:
        return next(
            (slot for slot in self._files.all() if slot.runs_order and slot.order and slot.order.name == name), None
        )

    def _order(self, slot: Slot, name: str, version: str | None, bundle: Path | None) -> SlotOrder:
        file = str(bundle.relative_to(self._places.folder.onprem)) if bundle else None
        return SlotOrder(
            slot=slot.name,
            life=slot.report.life,
            name=name,
            pipeline=self._pipeline,
            version=version,
            bundle=file,
        )

    def _hosted(self, order: SlotOrder, lives: bool, taken: bool) -> HostedScorer | None:
        if order.pipeline != self._pipeline:
            return None
        lost = None if lives or taken else f"the slot {order.slot} ended before it ran its order"
        trouble = lost or trouble_of(self._places, order.name)
        return HostedScorer(order.name, order.version, order.golden, lives, trouble)
