"""A scorer slot: waits for a rollout's order, runs the scorer, and ends with it.

    take the first slot that no living process has, and report
    wait for an order to this life of the slot
    run the scorer as the only child; pass on signals that a rollout sends, and those that we get
    end when it has ended: whoever started us, Docker for example, starts us again

It is small, since most slots wait most of the time. Run: python -m serving.slots.slot
"""

from __future__ import annotations

import logging
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Final

import msgspec

from contract.data_folder import DataFolder
from contract.environment import VariableError
from contract.files import exclusive_lock, is_locked
from contract.heartbeat import beat
from contract.layout import Places
from contract.log_lines import start_logging
from contract.messages.slots import SlotOrder, SlotReport
from serving.slots.slot_files import SlotFiles

LOOK_EVERY_S: Final = 0.1
STOP_WITHIN_S: Final = 8.0
"""A scorer that was told to stop and has not ended by then is killed: Docker gives us ten seconds."""

log = logging.getLogger("slot")


class OwnSlot:
    """The slot that this process has for as long as it lives."""

    def __init__(self, folder: DataFolder, report: SlotReport, lock: int) -> None:
        self._folder, self._files = folder, SlotFiles(folder)
        self._report = report
        self.lock = lock
        """The descriptor that holds the slot's lock."""

    @property
    def name(self) -> str:
        return self._report.slot

    def take_order(self) -> SlotOrder | None:
        """The order for this life, if there is one now; one for an earlier life is set aside."""
        if not self._folder.slot_order(self.name).exists():
            return None
        with self._files.alone():
            slot = self._files.named(self.name)
            if slot is None or slot.order is None:
                return None
            if slot.order.life != self._report.life:
                self._files.set_aside(slot)
                return None
            self._report = msgspec.structs.replace(self._report, scorer=slot.order.name)
            self._files.report(self._report)
            return slot.order

    def take_signal(self) -> int | None:
        """The signal that a rollout sends to our scorer."""
        if not self._folder.slot_signal(self.name).exists():
            return None
        with self._files.alone():
            sent = self._files.take_signal(self.name, self._report.life)
        return signal.Signals[sent.signal] if sent else None


@contextmanager
def own_slot(folder: DataFolder) -> Iterator[OwnSlot]:
    """Take the first slot that no living process has. What its last life left is set aside."""
    files = SlotFiles(folder)
    with ExitStack() as held:
        with files.alone():
            name = next(each for each in _names() if not is_locked(folder.slot_lock(each)))
            lock = held.enter_context(exclusive_lock(folder.slot_lock(name)))
            if left := files.named(name):
                files.set_aside(left)
            report = SlotReport(slot=name, life=secrets.token_hex(6), host=socket.gethostname())
            files.report(report)
        yield OwnSlot(folder, report, lock)


def serve(slot: OwnSlot, folder: DataFolder, stop: threading.Event) -> int:
    """Wait for an order, and run it. Exit code: that of the scorer, 0 when stopped before there was one."""
    log.info("ready slot=%s", slot.name)
    while not stop.wait(LOOK_EVERY_S):
        beat()
        if order := slot.take_order():
            log.info("order taken slot=%s scorer=%s pipeline=%s", slot.name, order.name, order.pipeline)
            return _run(slot, _command(order, folder), stop)
    return 0


def _run(slot: OwnSlot, command: list[str], stop: threading.Event) -> int:
    """The scorer holds the slot's lock, too: if it should outlive us, its slot still counts as alive."""
    scorer = subprocess.Popen(command, pass_fds=(slot.lock,))
    while scorer.poll() is None:
        if stop.is_set():
            return _stop(scorer)
        if number := slot.take_signal():
            log.warning("signal passed on slot=%s signal=%d", slot.name, number)
            scorer.send_signal(number)
        beat()
        stop.wait(LOOK_EVERY_S)
    return _code(scorer)


def _stop(scorer: subprocess.Popen[bytes]) -> int:
    scorer.send_signal(signal.SIGTERM)
    try:
        scorer.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        scorer.kill()
        scorer.wait()
    return _code(scorer)


def _code(scorer: subprocess.Popen[bytes]) -> int:
    code = scorer.returncode
    log.info("scorer has ended code=%d", code)
    return code if code >= 0 else 128 - code


def _command(order: SlotOrder, folder: DataFolder) -> list[str]:
    command = [sys.executable, "-m", "serving.scorer", "--pipeline", order.pipeline, "--name", order.name]
    return [*command, "--bundle", str(folder.onprem / order.bundle)] if order.bundle else command


def _names() -> Iterator[str]:
    return (f"scorer-{number}" for number in count(1))


def main() -> int:
    """Run one scorer; its exit code, or 1 when misconfigured."""
    start_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        folder = Places.from_environment(needs=("onprem",)).folder
        with own_slot(folder) as slot:
            return serve(slot, folder, stop)
    except (VariableError, OSError) as error:
        log.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
