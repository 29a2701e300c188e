"""The spool: records on disk, in files that several scorers of a pipeline write and send side by side.

A file has one line a record: key, tab, record; both are JSON, in which neither tab nor line end stands as such. The
format's number ends the file's name: `WRITER-NANOSECONDS.v1`. Files of the previous version, whose names have no
number, are of the same format; one with a higher number is left to the version that wrote it.

Who writes or sends a file holds a lock on it, which ends with the process: what a killed scorer leaves, another sends.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Final

from contract import variables

FILE_BYTES: Final = 8 * 1024 * 1024
"""A file is full at this size; after a failure, at most one file is sent a second time."""

FORMAT: Final = 1

logger = logging.getLogger("scorer.predictions")


class SpoolFullError(OSError):
    """The folder holds as much as it may."""


class Spool:
    """One scorer's hold on its pipeline's spool folder; any of its threads may use it."""

    def __init__(self, folder: Path, writer: str, limit_bytes: int) -> None:
        """`writer` is the scorer's name, part of its files' names; `limit_bytes` is for the whole folder."""
        self.folder, self._writer, self._limit = folder, writer, limit_bytes
        self._file: int | None = None
        self._written = 0
        self._elsewhere = 0
        """Bytes in the other files, at the time when the open one was begun."""
        self._told: set[Path] = set()
        """The files of another format that the log has named."""
        self._lock = RLock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, key: bytes, record: bytes) -> None:
        """Append a record, which from then on outlives this process.

        Raises:
            SpoolFullError: there is no room for it within the limit.
            OSError: the disk refuses it; nothing of it is left in the file.
        """
        self.put_all([(key, record)])

    def put_all(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Append all of these records, in one write, or none.

        Raises:
            SpoolFullError, OSError: as `put`.
        """
        lines = b"".join([b"%b\t%b\n" % record for record in records])
        with self._lock:
            if self._file is None or self._written + len(lines) > FILE_BYTES:
                self._file = self._begun()
            if self._elsewhere + self._written + len(lines) > self._limit:
                raise SpoolFullError(
                    f"{self.folder} holds {self._limit:,} bytes, all that it may ({variables.SPOOL.name})"
                )
            self._write(self._file, lines)

    def close(self) -> None:
        """Let go of the file that is being written, so that it can be sent."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def size(self) -> int:
        """Bytes that wait to be sent, those in the other scorers' files included."""
        return sum(_size(path) for path in self._sendable())

    @contextmanager
    def oldest(self, but: Collection[Path] = ()) -> Iterator[Path | None]:
        """The oldest file that can be sent and nobody else writes or sends, locked until the end; None: there is none.

        `but` are left out.
        """
        self.close()
        for path in sorted(self._sendable() - set(but), key=lambda path: path.name.rpartition("-")[2]):
            lock = _locked(path)
            if lock is not None:
                try:
                    yield path
                finally:
                    os.close(lock)
                return
        yield None

    def _write(self, file: int, lines: bytes) -> None:
        try:
            written = os.write(file, lines)
        except OSError:
            written = 0
        if written < len(lines):
            os.ftruncate(file, self._written)
            raise OSError(f"no room left on the disk of {self.folder}")
        self._written += len(lines)

    def _begun(self) -> int:
        """A new file. It gets its name when it is locked: nobody sends and removes it meanwhile."""
        self.close()
        self._elsewhere, self._written = sum(_size(path) for path in self._paths()), 0
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{self._writer}-{time.time_ns():020}.v{FORMAT}"
        unnamed = self.folder / f".{name}"
        file = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        unnamed.rename(self.folder / name)
        return file

    def _sendable(self) -> set[Path]:
        """Files of this format's number, and those of the previous version, which have none."""
        numbers = {path: path.name.rpartition("-")[2].partition(".v")[2] for path in self._paths()}
        sendable = {path for path, number in numbers.items() if number in ("", str(FORMAT))}
        self._name_others(numbers.keys() - sendable)
        return sendable

    def _name_others(self, others: Collection[Path]) -> None:
        """Say once of each file that this version does not send it, and what to do."""
        with self._lock:
            unsaid = sorted(set(others) - self._told)
            self._told |= set(unsaid)
        for path in unsaid:
            remedy = "run that version of hotpath to send them, or remove the file"
            logger.warning("spooled predictions of another version's format are left alone; %s file=%s", remedy, path)

    def _paths(self) -> list[Path]:
        """Every file of the folder; none while the folder is not there."""
        with suppress(FileNotFoundError):
            return [path for path in self.folder.iterdir() if not path.name.startswith(".") and path.is_file()]
        return []


def spooled(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Key and record of each line; a last line that a crash of the host cut off is none.

    A line without a tab is damage: it is logged and passed.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            key, tab, record = line.rstrip(b"\n").partition(b"\t")
            if tab and line.endswith(b"\n"):
                yield key, record
            elif line.endswith(b"\n"):
                logger.error("damaged line in the spool passed file=%s line=%d", path, number)


def _locked(path: Path) -> int | None:
    """The open file, locked; None when another scorer has it, or has sent and removed it, or it cannot be opened."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        logger.error("spooled predictions cannot be read file=%s why=%r", path, str(error))
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    if os.fstat(file).st_nlink:
        return file
    os.close(file)
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # sent meanwhile
        return 0
