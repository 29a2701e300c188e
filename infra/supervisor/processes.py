"""Processes of this host: how long one has run, how to end several, and how much memory one takes."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from contract.process_identity import Process


def uptime_s(process: Process) -> float:
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    return now - process.started / os.sysconf("SC_CLK_TCK")


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
