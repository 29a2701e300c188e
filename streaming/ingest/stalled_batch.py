"""Tells a batch that hangs from one that runs: a call to the file system may never return, in Python or in Java."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Query(Protocol):
    """What is asked of a `StreamingQuery`."""

    @property
    def status(self) -> Mapping[str, Any]: ...

    @property
    def lastProgress(self) -> Mapping[str, Any] | None: ...


class StalledBatch:
    """Since when a query has been seen at the same batch; looks that are seconds apart are enough."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._batch: object = None
        self._since_s: float | None = None

    def runs_s(self, query: Query | None) -> float:
        """Look once more; 0 when it is between batches, or at another one than before."""
        last = query.lastProgress if query is not None else None
        batch = (id(query), last and last["batchId"])
        if query is None or not query.status["isTriggerActive"]:
            self._since_s = None
        elif self._since_s is None or batch != self._batch:
            self._since_s = self._now_s()
        self._batch = batch
        return 0.0 if self._since_s is None else self._now_s() - self._since_s
