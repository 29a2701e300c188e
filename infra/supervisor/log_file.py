"""A part's log on disk: bounded, the newest lines in `<part>.log`, older ones in `.log.1`, `.log.2`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MAX_BYTES: Final = 10 * 1024 * 1024
KEPT: Final = 2
"""How many older files stay beside the current one."""


class LogFile:
    """Appends bytes, and begins anew when the file has grown to `max_bytes`."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._max_bytes = path, max_bytes
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        if self._file.tell() + len(data) > self._max_bytes:
            self._rotate()
        self._file.write(data)

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(KEPT, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
        self._file = self._path.open("ab", buffering=0)
