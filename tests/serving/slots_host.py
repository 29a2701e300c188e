"""A `RolloutHost` whose scorers run in slots; loops start the slots again, as Docker does with containers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from contract.files import holder
from contract.messages.slots import SlotOrder
from serving.slots.slot_files import Slot, SlotFiles
from tests.serving.rollout_host import RolloutHost

WATCH = "500ms"


class SlotsHost(RolloutHost):
    """`begin_slots` starts the loops; each slot is a process group of its own."""

    watch = WATCH
    slots = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self._closing = threading.Event()
        self._loops: list[threading.Thread] = []

    @property
    def env(self) -> dict[str, str]:
        return super().env | {"HOTPATH_SLOTS": str(self.slots)}

    def begin_slots(self) -> None:
        self._loops = [threading.Thread(target=self._loop) for _ in range(self.slots)]
        for loop in self._loops:
            loop.start()
        self.waits(lambda: sum(slot.is_alive for slot in self.all_slots()) == self.slots, "the slots are alive")

    def all_slots(self) -> list[Slot]:
        files = SlotFiles(self.places.folder)
        with files.alone():
            return files.all()

    def order_of(self, version: str | None) -> SlotOrder | None:
        return order_run_for(version, SlotFiles(self.places.folder))

    def kill_slot(self, version: str | None) -> str:
        """End the slot that runs this version, and its scorer, at once; the name of the scorer."""
        order = self.order_of(version)
        assert order, f"no slot runs {version}"
        pid = holder(self.places.folder.slot_lock(order.slot))
        assert pid
        os.killpg(pid, signal.SIGKILL)
        return order.name

    def stop_scorer(self, name: str) -> None:
        """Let it stand still."""
        scorers = (self.state() or {"scorers": []})["scorers"]
        os.kill(next(scorer["pid"] for scorer in scorers if scorer["name"] == name), signal.SIGSTOP)

    def close(self) -> None:
        self._closing.set()
        for process in self.processes:  # the rollouts: they would order more
            process.kill()
        for loop in self._loops:
            loop.join(20)
        super().close()

    def _loop(self) -> None:
        while not self._closing.is_set():
            slot = subprocess.Popen(
                [sys.executable, "-m", "serving.slots.slot"],
                env=self.env,
                stdout=self.log,
                stderr=self.log,
                start_new_session=True,
            )
            while slot.poll() is None:
                if self._closing.wait(0.02):
                    os.killpg(slot.pid, signal.SIGKILL)
                    slot.wait()


def order_run_for(version: str | None, files: SlotFiles) -> SlotOrder | None:
    """The order that a living slot has taken for this version."""
    with files.alone():
        slots = files.all()
    runs = (slot.order for slot in slots if slot.runs_order and slot.has_taken)
    return next((order for order in runs if order and order.version == version), None)
