"""How busy this host is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from contract.process_identity import Process
from contract.state_file import read_state


@dataclass(frozen=True)
class HostFigures:
    """`cpu_ratio`: the share of all cores that was busy since the call before; network bytes since the host started."""

    cpu_ratio: float
    available_memory_bytes: int
    free_disk_bytes: int
    received_bytes: int
    sent_bytes: int


def read_host(data: Path) -> HostFigures:
    """`data`: a folder on the disk that counts.

    Raises:
        OSError: the folder is not there.
    """
    network = psutil.net_io_counters()
    return HostFigures(
        cpu_ratio=psutil.cpu_percent(interval=None) / 100,
        available_memory_bytes=psutil.virtual_memory().available,
        free_disk_bytes=psutil.disk_usage(str(data)).free,
        received_bytes=network.bytes_recv,
        sent_bytes=network.bytes_sent,
    )


def processor_seconds(pids: Path) -> dict[str, float]:
    """Part -> the processor time that its process has used, of the processes that this file of the supervisor names.

    Without such a file there are none: the parts then run elsewhere, or each in a container of its own.
    """
    recorded = read_state(pids, dict[str, Process], "the processor time of the parts is not measured") or {}
    found = {}
    for part, process in recorded.items():
        try:
            times = psutil.Process(process.pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        if process.is_alive:
            found[part] = times.user + times.system
    return found
