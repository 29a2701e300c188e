"""What Docker tells while tests run: which containers needed more memory than they may have."""

from __future__ import annotations

import subprocess
import time
from tempfile import TemporaryFile
from typing import Self

from tests.containers.compose_project import NAME


class KilledForMemory:
    """Follows Docker's events from `with` on: it keeps but a few hundred itself, and health checks fill them."""

    def __enter__(self) -> Self:
        self._told = TemporaryFile("w+", encoding="utf-8")
        filters = ("--filter", "event=oom", "--filter", f"label=com.docker.compose.project={NAME}")
        command = ["docker", "events", *filters, "--format", "{{.Actor.Attributes.name}}", "--since", str(time.time())]
        self._events = subprocess.Popen(command, stdout=self._told)
        return self

    def __exit__(self, *_: object) -> None:
        self._events.terminate()
        self._events.wait()
        self._told.close()

    def containers(self) -> list[str]:
        """The containers in which the kernel has ended a process, once for each."""
        assert self._events.poll() is None, "docker events goes on"
        self._told.seek(0)
        return self._told.read().split()


def bytes_of_all() -> int:
    """The memory that the project's containers take now, without what the kernel could drop."""
    listed = ["docker", "ps", "--quiet", "--filter", f"label=com.docker.compose.project={NAME}"]
    ids = subprocess.check_output(listed, text=True).split()
    told = subprocess.check_output(["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", *ids], text=True)
    return sum(_bytes(line.split(" / ")[0]) for line in told.splitlines())


def _bytes(text: str) -> int:
    units = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 10**3, "MB": 10**6, "GB": 10**9, "B": 1}
    unit = next(unit for unit in units if text.endswith(unit))
    return int(float(text.removesuffix(unit)) * units[unit])
