"""How every process logs: to stderr, one line an event, `time level logger event key=value ...`.

A line states the event first and its values behind it: `log.info("batch committed pipeline=%s batch=%d", ...)`.
A reader can then search for an event, and cut out a value, in the log of any part.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
from typing import Final

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
_CHATTY: Final = ("py4j", "httpx")
"""Libraries that log every call."""


def start_logging() -> None:
    """To be called once, first thing in a process."""
    # a crash in native code leaves the stacks of all threads in the log
    faulthandler.enable(sys.__stderr__ or sys.stderr)
    logging.basicConfig(level=logging.INFO, format=FORMAT, stream=sys.stderr)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
