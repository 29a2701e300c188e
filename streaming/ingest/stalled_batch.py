"""Finds out that a batch hangs: a call to the file system may never return, in Python or in Java."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Query(Protocol):
    """The part of a `StreamingQuery` that is read here."""

    @property
    def status(self) -> Mapping[str, Any]: ...

    @property
    def lastProgress(self) -> Mapping[str, Any] | None: ...


class StalledBatch:
    """For how long a query has been at the same batch. It is enough to ask every few seconds."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._batch: object = None
        self._since_s: float | None = None

    def runs_s(self, query: Query | None) -> float:
        """Seconds since the running batch was first seen; 0 between batches, and when it is first seen."""
        last = query.lastProgress if query is not None else None
        batch = (id(query), last and last["batchId"])
        if query is None or not query.status["isTriggerActive"]:
            self._since_s = None
        elif self._since_s is None or batch != self._batch:
            self._since_s = self._now_s()
        self._batch = batch
        return 0.0 if self._since_s is None else self._now_s() - self._since_s
