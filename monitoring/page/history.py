"""The last hours of every figure that the page draws, on disk, so that a restart of the monitor forgets nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

KEPT_S = 6 * 3600


class History:
    """Series of (time in seconds since 1970, value) by name, for `KEPT_S`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS points (series TEXT, time REAL, value REAL, PRIMARY KEY (series, time))"
            " WITHOUT ROWID"
        )

    def add(self, time_s: float, values: Iterable[tuple[str, float]]) -> None:
        """Add a point to each series, and forget what is older than `KEPT_S`."""
        rows = [(series, time_s, value) for series, value in values]
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?)", rows)
        self._db.execute("DELETE FROM points WHERE time < ?", (time_s - KEPT_S,))
        self._db.execute("COMMIT")

    def series(self, name: str, since_s: float) -> list[tuple[float, float]]:
        """The points of a series from a moment on, oldest first."""
        query = "SELECT time, value FROM points WHERE series = ? AND time >= ? ORDER BY time"
        return self._db.execute(query, (name, since_s)).fetchall()

    def close(self) -> None:
        self._db.close()
