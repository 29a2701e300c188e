"""Files on this host: durable atomic write, and the exclusive lock of a process. Standard library only."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Locked(Exception):
    """Another process holds the lock."""


def write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write aside, flush to disk, rename into place, flush the folder: a reader sees the old bytes or the new ones.

    What is written survives a crash of the host once this returns.

    Raises:
        OSError: the disk refuses it; the file stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def put_in_place(part: Path, path: Path) -> None:
    """Rename a file whose content is flushed already, and flush the folder: the name survives a crash of the host."""
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def exclusive_lock(path: Path, *, wait: bool = False) -> Iterator[int]:
    """Hold the lock of a file; the kernel frees it when the process ends, by kill -9 too. `holder` tells who has it.

    Gives the descriptor that holds it: a child that inherits it holds the lock, too.

    Raises:
        Locked: another process holds it; never with `wait`, which waits until it is free.
    """
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise Locked(f"another process holds {path}") from error
        _note_holder(lock)
        yield lock
    finally:
        os.close(lock)


def is_locked(path: Path) -> bool:
    """Whether a process of this host, of whatever namespace, holds the lock of this file.

    It is tried for a moment: whoever takes such locks at the same time must keep out of it by another lock.
    """
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def holder(path: Path) -> int | None:
    """The process that holds the lock of this file, or held it last; None where nobody could note it."""
    try:
        return int(path.read_bytes())
    except (OSError, ValueError):
        return None


def _note_holder(lock: int) -> None:
    """On a disk that is full nobody is noted: the lock holds all the same."""
    with suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, b"%d\n" % os.getpid(), 0)
