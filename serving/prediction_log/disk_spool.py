"""The spool: records on disk, in files that several scorers of a pipeline write and send side by side.

A file has one line a record: key, tab, record; both are JSON, in which neither tab nor line end stands as such. Who
writes or sends a file holds a lock on it, which ends with the process: what a killed scorer leaves, another one sends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FILE_BYTES: Final = 8 * 1024 * 1024
"""A file is full at this size; after a failure, at most one file is sent a second time."""


class SpoolFullError(OSError):
    """The folder holds as much as it may."""


class Spool:
    """One scorer's hold on its pipeline's spool folder; to be used by one thread at a time."""

    def __init__(self, folder: Path, writer: str, limit_bytes: int) -> None:
        """`writer` is the scorer's name, part of its files' names; `limit_bytes` is for the whole folder."""
        self.folder, self._writer, self._limit = folder, writer, limit_bytes
        self._file: int | None = None
        self._written = 0
        self._elsewhere = 0
        """Bytes in the other files, at the time when the open one was begun."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, key: bytes, record: bytes) -> None:
        """Append a record, which from then on outlives this process.

        Raises:
            SpoolFullError: there is no room for it within the limit.
            OSError: the disk refuses it; nothing of it is left in the file.
        """
        line = key + b"\t" + record + b"\n"
        if self._file is None or self._written + len(line) > FILE_BYTES:
            self._file = self._begun()
        if self._elsewhere + self._written + len(line) > self._limit:
            raise SpoolFullError(f"{self.folder} holds {self._limit:,} bytes, all that it may (HOTPATH_SPOOL)")
        try:
            written = os.write(self._file, line)
        except OSError:
            written = 0
        if written < len(line):
            os.ftruncate(self._file, self._written)
            raise OSError(f"no room left on the disk of {self.folder}")
        self._written += len(line)

    def close(self) -> None:
        """Let go of the file that is being written, so that it can be sent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def size(self) -> int:
        """Bytes in the folder, the other scorers' files included."""
        return sum(_size(path) for path in self._paths())

    @contextmanager
    def oldest(self) -> Iterator[Path | None]:
        """The oldest file that nobody else writes or sends, locked until the end; None when there is none."""
        self.close()
        for path in sorted(self._paths(), key=lambda path: path.name.rpartition("-")[2]):
            lock = _locked(path)
            if lock is not None:
                try:
                    yield path
                finally:
                    os.close(lock)
                return
        yield None

    def _begun(self) -> int:
        """A new file. It gets its name when it is locked: nobody sends and removes it meanwhile."""
        self.close()
        self._elsewhere, self._written = self.size(), 0
        name = f"{self._writer}-{time.time_ns():020}"
        unnamed = self.folder / f".{name}"
        file = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        unnamed.rename(self.folder / name)
        return file

    def _paths(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if not path.name.startswith(".")]


def spooled(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Key and record of each line; a last line that a crash of the host cut off is none."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                key, _, record = line[:-1].partition(b"\t")
                yield key, record


def _locked(path: Path) -> int | None:
    """The open file, locked; None when another one has it, or has sent and removed it."""
    with suppress(FileNotFoundError, BlockingIOError):
        file = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise
        if os.fstat(file).st_nlink:
            return file
        os.close(file)
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # sent meanwhile
        return 0
