"""Ends this process when a call that is expected back does not come back; whoever started it starts it again.

hdfs-native (0.14.7) waits for ever once a NameNode has stood still, and so does deltalake (1.6.6), which uses it.
docs/decisions.md describes a second way in which deltalake hangs, and how the logs of our tables avoid it. Nothing
can interrupt such a call. While nobody listens at the NameNode's address, both try for some three minutes and fail.

A call may also keep the lock of Python while it waits (deltalake's `is_deltatable` does), so that no thread of ours
runs. The fault handler needs no lock: it ends the process, with exit code 1, when the watching thread has not
restarted its timer in time.
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

_out: dict[object, tuple[float, float | None, str]] = {}
"""Calls that have not come back: since when (monotonic seconds), their own limit, and what they are."""


@contextmanager
def expected_back(what: str, within_s: float | None = None) -> Iterator[None]:
    """Note that this thread is in a call; the log names `what` when it does not come back.

    `within_s`: a limit of this call's own, for one that takes longer than a call to HDFS.
    """
    call = object()
    _out[call] = (time.monotonic(), within_s, what)
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
        for since, own_limit_s, what in tuple(_out.values()):
            most_s = limit_s if own_limit_s is None else own_limit_s
            if time.monotonic() - since > most_s:
                give_up(f"{what} has not come back for {most_s:g} s")
