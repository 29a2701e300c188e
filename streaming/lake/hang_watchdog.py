"""Ends this process when a call that is expected back does not come back; whoever started it starts it again.

hdfs-native (0.14.7) waits for ever once a NameNode has stood still, and with it deltalake (1.6.6), which has a second
way to do so that our tables' logs do not lead it into (docs/decisions.md). Nothing can interrupt either. While nobody
listens at the NameNode's address both try for some three minutes and then fail.

A call may also keep the lock of Python while it waits (deltalake's `is_deltatable` does), so that no thread of ours
runs. The fault handler needs no lock: it then ends the process, with exit code 1, since nobody puts it off any more.
"""

from __future__ import annotations

import faulthandler
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from contract import variables
from contract.environment import Environment
from contract.process_end import give_up

LIMIT_S: Final = 300.0
"""A call to HDFS that takes longer never comes back; while HDFS is away one fails sooner."""
_LOOK_EVERY_S: Final = 1.0

_out: dict[object, tuple[float, str]] = {}
"""Calls that have not come back: since when (monotonic seconds), and what they are."""


@contextmanager
def expected_back(what: str) -> Iterator[None]:
    """Note that this thread is in a call; `what` is told when it does not come back."""
    call = object()
    _out[call] = (time.monotonic(), what)
    try:
        yield
    finally:
        del _out[call]


def start(limit_s: float = LIMIT_S) -> None:
    """Watch from now on, in a thread of its own. The variable CALL_S overrides the limit.

    Raises:
        VariableError: it is not a number of seconds.
    """
    stated = Environment().get(variables.CALL_S)
    limit_s = stated.total_seconds() if stated else limit_s
    threading.Thread(target=_watch, args=(limit_s,), name="watchdog", daemon=True).start()


def _watch(limit_s: float) -> None:
    while True:
        faulthandler.dump_traceback_later(limit_s, exit=True, file=sys.stderr)
        time.sleep(min(_LOOK_EVERY_S, limit_s / 4))
        since, what = min(tuple(_out.values()), default=(time.monotonic(), ""))
        if time.monotonic() - since > limit_s:
            give_up(f"{what} has not come back for {limit_s:g} s")
