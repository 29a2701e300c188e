"""What a scorer does when a thread or task that it needs has ended: it stops accepting, drains, and exits with 70.

The rollout starts the next one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from contract.process_end import GIVEN_UP, give_up, log_all_stacks


class EndInOrder:
    """Call it with the reason, from any thread; to be made in the event loop that `drain` belongs to."""

    def __init__(self, drain: Callable[[], None], within_s: float) -> None:
        """After `within_s` the process ends in any case, drained or not."""
        self.code = 0
        self._drain, self._within_s = drain, within_s
        self._loop = asyncio.get_running_loop()

    def __call__(self, why: str) -> None:
        if self.code:
            return  # it is ending already
        self.code = GIVEN_UP
        log_all_stacks(f"{why}; this scorer drains and ends itself, and the rollout starts the next")
        deadline = threading.Timer(self._within_s, give_up, [f"not drained within {self._within_s:g} s"])
        deadline.daemon = True
        deadline.start()
        self._loop.call_soon_threadsafe(self._drain)
