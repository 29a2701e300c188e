"""Processes by identity: a pid and its start time, since a pid alone may belong to somebody else by now.

The start time is the kernel's, in clock ticks since boot, from /proc/PID/stat: it stays the same when somebody sets
the clock of the host.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_START_TIME: Final = 19
"""Index of the start time among the fields of /proc/PID/stat that follow the name."""


@dataclass(frozen=True)
class Process:
    """One process that runs or has run. `started` is in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this pid now; None where there is none, or only its exit code is left."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else cls(pid, int(fields[_START_TIME]))

    @property
    def is_alive(self) -> bool:
        return Process.of(self.pid) == self

    def signal(self, number: int) -> None:
        """Send a signal, if it is still the same process; one that has gone meanwhile needs none."""
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
