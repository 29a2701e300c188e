"""How a process ends itself when it cannot go on: the stacks of all threads in its log, then exit code 70.

Whoever started the process starts it again. A thread or task that the process cannot do without is started here:
should it end although nobody asked it to, the process ends with it, instead of going on without it unseen.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final

GIVEN_UP: Final = 70
"""Exit code of a process that ends itself."""

log = logging.getLogger("process_end")

OnEnd = Callable[[str], None]
"""Called with the reason when something vital has ended; by default `give_up`."""


def log_all_stacks(why: str) -> None:
    """Write why, and what each thread is doing, to the log and to stderr."""
    log.critical("%s", why)
    faulthandler.dump_traceback(sys.stderr, all_threads=True)
    sys.stderr.flush()


def give_up(why: str) -> None:
    """End the process at once."""
    log_all_stacks(f"{why}; this process ends itself, to be started again")
    os._exit(GIVEN_UP)


class VitalThread(threading.Thread):
    """A thread without which its process is of no use.

    It may end only after `asked_to_end` is set. When it ends before, or raises at any time, `on_end` is called in
    this thread with the reason, after the exception was logged with its trace.
    """

    def __init__(
        self,
        name: str,
        target: Callable[[], None],
        asked_to_end: threading.Event | None = None,
        on_end: OnEnd = give_up,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._run_target = target
        self._asked_to_end = asked_to_end or threading.Event()
        self._on_end = on_end

    def run(self) -> None:
        try:
            self._run_target()
        except BaseException as error:  # SystemExit in a thread would end it silently, too
            log.exception("the thread %s failed", self.name)
            self._on_end(f"the thread {self.name} ended by {type(error).__name__}: {error}")
            return
        if not self._asked_to_end.is_set():
            self._on_end(f"the thread {self.name} ended although nobody asked it to")


def _never() -> bool:
    return False


def vital_task(
    coroutine: Coroutine[Any, Any, None], name: str, on_end: OnEnd = give_up, may_end: Callable[[], bool] = _never
) -> asyncio.Task[None]:
    """A task of the running event loop without which its process is of no use.

    It ends by being cancelled, or without an exception while `may_end` says that it may. When it ends otherwise,
    `on_end` is called with the reason.
    """

    def ended(task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            if not may_end():
                on_end(f"the task {name} ended although nobody asked it to")
            return
        log.error("the task %s failed", name, exc_info=error)
        on_end(f"the task {name} ended by {type(error).__name__}: {error}")

    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    task.add_done_callback(ended)
    return task
