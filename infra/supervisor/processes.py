"""Processes by identity: a pid and its start time, since a pid alone may belong to somebody else by now."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_START_TIME: Final = 19
"""Index of the start time, in clock ticks since boot, among the fields of /proc/PID/stat after the name."""


@dataclass(frozen=True)
class Process:
    """One process, now or once. `started` is in clock ticks since boot, as /proc says it."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this pid now; None where there is none, or only its remains."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else cls(pid, int(fields[_START_TIME]))

    @property
    def is_alive(self) -> bool:
        return Process.of(self.pid) == self

    def signal(self, number: int) -> None:
        """Signal it, if it is still the same process."""
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def uptime_s(self) -> float:
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        return now - self.started / os.sysconf("SC_CLK_TCK")


def stop(processes: list[Process], patience_s: float) -> None:
    """SIGTERM to all, then SIGKILL to those that are left after `patience_s`; returns when none is alive."""
    for process in processes:
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while any(process.is_alive for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in processes:
        process.signal(signal.SIGKILL)
    while any(process.is_alive for process in processes):
        time.sleep(0.02)


def pss_bytes(pid: int) -> int:
    """Memory of a process and its descendants, shared pages counted once among their sharers; 0 when it is gone."""
    return sum(_own_pss_bytes(each) for each in _with_descendants(pid))


def _own_pss_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _with_descendants(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(FileNotFoundError, ProcessLookupError):
                found += [int(child) for child in task.read_text().split()]
    return found
