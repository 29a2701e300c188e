"""The last hours of every figure that the page draws, on disk, so that a restart of the monitor forgets nothing.

They are points of a chart and no more: a file that is damaged is put aside, and what a disk refuses is dropped.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

from contract import metrics

KEPT_S = 6 * 3600
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""What SQLite says of a file that does not hold our table; all else is the disk's or another program's doing."""
log = logging.getLogger("monitor")
T = TypeVar("T")


class History:
    """Series of (time in seconds since 1970, value) by name, for `KEPT_S`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._trouble = ""

    def add(self, time_s: float, values: Iterable[tuple[str, float]]) -> None:
        """Add a point to each series, and forget what is older than `KEPT_S`."""
        rows = [(series, time_s, value) for series, value in values]

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN")
                db.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?)", rows)
                db.execute("DELETE FROM points WHERE time < ?", (time_s - KEPT_S,))

        self._do(write, None)

    def series(self, name: str, since_s: float) -> list[tuple[float, float]]:
        """The points of a series from a moment on, oldest first; none while the file cannot be read."""
        query = "SELECT time, value FROM points WHERE series = ? AND time >= ? ORDER BY time"
        nothing: list[tuple[float, float]] = []
        return self._do(lambda db: db.execute(query, (name, since_s)).fetchall(), nothing)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _do(self, what: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """An error is counted each time, and logged when it is another one than before."""
        try:
            self._db = self._db or _opened(self._path)
            done = what(self._db)
        except (sqlite3.Error, OSError) as error:
            metrics.PROBLEMS.labels(part="monitor").inc()
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.error("points of the page's charts are dropped file=%s error=%r", self._path, self._trouble)
            self.close()
            if isinstance(error, sqlite3.Error) and _code(error) in DAMAGED:
                self._put_aside()
            return otherwise
        self._trouble = ""
        return done

    def _put_aside(self) -> None:
        """The next turn begins a new file."""
        aside = self._path.with_name(f"{self._path.name}.damaged")
        try:
            self._path.replace(aside)
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            log.error("a damaged file cannot be put aside file=%s error=%r", self._path, str(error))
            return
        log.warning("a damaged file is put aside and begun anew file=%s aside=%s", self._path, aside)


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute(
            "CREATE TABLE IF NOT EXISTS points (series TEXT, time REAL, value REAL, PRIMARY KEY (series, time))"
            " WITHOUT ROWID"
        )
    except sqlite3.Error:
        db.close()
        raise
    return db


def _code(error: sqlite3.Error) -> int:
    """The primary code, without what SQLite's extended codes add; 0 of an error of the Python module itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
