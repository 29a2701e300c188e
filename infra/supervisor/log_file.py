"""A part's log on disk: bounded, the newest lines in `<part>.log`, older ones in `.log.1`, `.log.2`."""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from errno import ENOSPC
from io import FileIO
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 10 * 1024 * 1024
KEPT: Final = 2
"""How many older files stay beside the current one."""
TOLD_S: Final = 300
"""For so long after the last line that was lost it is told that lines are missing."""

log = logging.getLogger("supervisor")


class LogFile:
    """Appends bytes, and begins anew when the file has grown to `max_bytes`.

    Lines that the disk refuses are dropped and counted; the log itself says where, once it can be written again.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path, self._max_bytes = path, max_bytes
        self._file: FileIO | None = None
        self.dropped = 0
        """How many lines could not be written."""
        self._gap = 0
        """How many of them are not told in the log yet."""
        self._refused = ""
        self._refused_at = 0.0
        self.write(b"")

    def write(self, data: bytes) -> None:
        """Write it, or count its lines as dropped."""
        rest = memoryview(data)
        try:
            file = self._with_room_for(len(data))
            while rest:  # a disk that is nearly full takes a part
                rest = rest[file.write(rest) :]
        except OSError as error:
            self._drop(bytes(rest), error)

    def retry(self) -> None:
        """Say in the log what is missing there, if that is open."""
        if self._gap:
            self.write(b"")

    def problem(self) -> str:
        """What is missing in the log of late, in one sentence; empty when nothing is."""
        if self._refused and (self._gap or time.monotonic() - self._refused_at < TOLD_S):
            return f"{self.dropped} lines could not be written to the log {self._path}: {self._refused}"
        return ""

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # what a disk refuses late is a line that is lost, and nobody writes any more
                file.close()

    def _with_room_for(self, size: int) -> FileIO:
        file = self._opened()
        if file.tell() + size > self._max_bytes:
            self._rotate()
            file = self._opened()
        if self._gap:
            noted = f"\n({self._gap} lines could not be written here: {self._refused})\n".encode()
            if file.write(noted) < len(noted):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
            log.warning("log can be written again path=%s lines_dropped=%d", self._path, self._gap)
            self._gap = 0
        return file

    def _drop(self, data: bytes, error: OSError) -> None:
        self.close()
        if not self._gap:
            log.error("log cannot be written, its lines are dropped path=%s: %s", self._path, error)
        lines = data.count(b"\n") or int(bool(data))
        self.dropped, self._gap = self.dropped + lines, self._gap + lines
        self._refused, self._refused_at = error.strerror or str(error), time.monotonic()

    def _opened(self) -> FileIO:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(self._path, "a")
        return self._file

    def _rotate(self) -> None:
        self.close()
        for number in range(KEPT, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
