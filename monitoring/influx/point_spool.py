"""Points that wait for InfluxDB, on disk: what an outage or a restart of the monitor would otherwise lose."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from contract import metrics
from contract.files import write_durably

SUFFIX = ".lp"
LINES_A_FILE = 5000


class PointSpool:
    """A folder of files in line protocol, the oldest first by name; one writer and one reader, in one process.

    Beyond `most_bytes` the oldest files are dropped and their points counted.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        folder.mkdir(parents=True, exist_ok=True)
        metrics.INFLUX_SPOOL_BYTES.set(self.size())
        newest = self.files()[-1:]
        self._next = int(newest[0].stem) + 1 if newest else 0

    def files(self) -> list[Path]:
        """What waits, the oldest first."""
        return sorted(path for path in self._folder.glob(f"*{SUFFIX}") if path.stem.isdigit())

    def add(self, lines: Iterable[str]) -> None:
        """Append points, each a line of line protocol.

        Raises:
            OSError: the disk takes nothing.
        """
        rest = iter(lines)
        while some := list(islice(rest, LINES_A_FILE)):
            path = self._folder / f"{self._next:012d}{SUFFIX}"
            write_durably(path, "".join(f"{line}\n" for line in some).encode())
            self._next += 1
        self._drop_oldest()

    def remove(self, file: Path) -> None:
        """Forget a file that InfluxDB has taken or refused; one that was dropped meanwhile is gone already."""
        metrics.INFLUX_SPOOL_BYTES.dec(_size(file))
        file.unlink(missing_ok=True)

    def size(self) -> int:
        """Bytes that wait."""
        return sum(_size(file) for file in self.files())

    def _drop_oldest(self) -> None:
        files = self.files()
        size = sum(_size(file) for file in files)
        for file in files[:-1]:
            if size <= self._most_bytes:
                break
            size -= _size(file)
            metrics.INFLUX_POINTS.labels(outcome="dropped").inc(point_count(file))
            file.unlink(missing_ok=True)
        metrics.INFLUX_SPOOL_BYTES.set(size)


def point_count(file: Path) -> int:
    """How many points a file holds; 0 when it has gone."""
    try:
        return file.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
