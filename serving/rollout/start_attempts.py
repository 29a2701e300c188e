"""Which starts of scorers failed, and until when the next one waits. In memory: a restarted rollout begins anew."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

LONGEST_REST_S: Final = 30.0

Clock = Callable[[], float]


class StartAttempts:
    """Failed starts in a row by version (None: the scorer without a model), each with a longer rest after it.

    A start that failed for a reason of the host is tried again without end, and says nothing of the model.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._starts: Counter[str | None] = Counter()
        self._failures: Counter[str | None] = Counter()
        self._rest_until: dict[str | None, float] = {}
        self.trouble: str | None = None
        """Why the last start failed, where the host is to blame; None from the next one on that came up."""

    @property
    def failures(self) -> Mapping[str | None, int]:
        """Those that the model may be to blame for."""
        return dict(self._failures)

    @property
    def resting(self) -> frozenset[str | None]:
        """The versions whose next start has to wait."""
        now = self._clock()
        return frozenset(version for version, until in self._rest_until.items() if now < until)

    def failed(self, version: str | None, trouble: str | None = None) -> None:
        """Count a start that failed; `trouble`: why, where the host is to blame."""
        self.trouble = trouble
        self._starts[version] += 1
        if trouble is None:
            self._failures[version] += 1
        rest_s = min(LONGEST_REST_S, 2.0 ** (self._starts[version] - 1))
        self._rest_until[version] = self._clock() + rest_s

    def served(self, version: str | None) -> None:
        """The version came up: earlier failures are forgotten."""
        self.trouble = None
        self._starts.pop(version, None)
        self._failures.pop(version, None)
        self._rest_until.pop(version, None)
