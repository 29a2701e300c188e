"""The scorers of this data folder that live: started by rollouts, children of nobody, and so not among the parts.

Those in slots have no process number here: they are only told to stop.
"""

from __future__ import annotations

import time

from contract.data_folder import DataFolder
from contract.messages.slots import SignalName, SlotSignal
from infra.supervisor.processes import stop
from serving.rollout.scorer_processes import ScorerProcess, recorded
from serving.slots.slot_files import Slot, SlotFiles


def live_scorers(folder: DataFolder) -> list[ScorerProcess]:
    """Those recorded that live, by name; asks no broker and needs no address."""
    return [scorer for scorer in recorded(folder) if scorer.lives()]


def stop_live_scorers(folder: DataFolder, patience_s: float = 10, pipeline: str | None = None) -> None:
    """Of one pipeline or of all: SIGTERM, then SIGKILL after the patience; connections that wait are closed."""
    scorers = [scorer for scorer in live_scorers(folder) if pipeline in (None, scorer.pipeline)]
    stop([scorer.process for scorer in scorers], patience_s)
    _stop_in_slots(SlotFiles(folder), patience_s, pipeline)


def _stop_in_slots(files: SlotFiles, patience_s: float, pipeline: str | None) -> None:
    """An order that is not taken yet is withdrawn; the scorers that run have the patience to end."""
    deadline = time.monotonic() + patience_s
    _tell(files, "SIGTERM", pipeline)
    while _tell(files, None, pipeline) and time.monotonic() < deadline:
        time.sleep(0.1)
    _tell(files, "SIGKILL", pipeline)


def _tell(files: SlotFiles, wanted: SignalName | None, pipeline: str | None) -> int:
    """Send a signal to the scorers of a pipeline that run in slots, or only count them."""
    if not files.are_used():
        return 0
    with files.alone():
        running = [slot for slot in files.all() if slot.runs_order and _is_of(slot, pipeline)]
        for slot in running if wanted else ():
            if not slot.has_taken:
                files.set_aside(slot)
            elif wanted:
                files.send(slot.name, SlotSignal(life=slot.report.life, signal=wanted))
    return len(running)


def _is_of(slot: Slot, pipeline: str | None) -> bool:
    return slot.order is not None and pipeline in (None, slot.order.pipeline)
