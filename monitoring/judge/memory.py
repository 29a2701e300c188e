"""What the monitor must remember to judge: windows of counters, how long figures stand still, who has answered.

It is written every few seconds, so that a monitor that was started again goes on judging where it was. What is older
than that tells nothing: the stack has been down.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec

from contract import metrics
from contract.files import write_durably
from contract.metric_types import Counter, Histogram
from monitoring.collect.counter_windows import CounterWindows, Series
from monitoring.collect.scrape import Snapshot
from monitoring.collect.stillness import Stillness

SAVED_EVERY_S = 15.0
GOOD_FOR_S = 60.0
WINDOWED: tuple[Counter | Histogram, ...] = (
    metrics.STREAM_RECORDS,
    metrics.DEAD_LETTERS,
    metrics.QUARANTINED_QUESTIONS,
    metrics.STREAM_RESTARTS,
    metrics.REQUESTS,
    metrics.PREDICTIONS_LOGGED,
    metrics.REQUEST_SECONDS,
)
log = logging.getLogger("monitor")


class Saved(msgspec.Struct):
    """The file."""

    saved_s: float
    have_answered: set[str]
    series: list[Series]
    stillness: dict[str, tuple[float, float]]


class Memory:
    """Reads its file when it is made; `now_s` in seconds since 1970."""

    def __init__(self, file: Path, now_s: float) -> None:
        saved = _read(file, now_s)
        self._file, self._saved_s = file, now_s
        self.windows = CounterWindows(WINDOWED, saved.series if saved else ())
        self.stillness = Stillness(saved.stillness if saved else None)
        self.have_answered = saved.have_answered if saved else set()

    def take(self, now: Snapshot) -> None:
        """Before a look is judged."""
        self.windows.update(now)
        self.have_answered |= {sample.part for sample in now.samples}

    def end_look(self, now_s: float, parts: Iterable[str]) -> None:
        """After a look was judged: forget what nobody asked for, and parts that are not there any more."""
        self.stillness.end_look()
        self.have_answered &= set(parts)
        if now_s >= self._saved_s + SAVED_EVERY_S:
            self._save(now_s)

    def _save(self, now_s: float) -> None:
        self._saved_s = now_s
        saved = Saved(now_s, self.have_answered, self.windows.kept(), self.stillness.kept())
        try:
            write_durably(self._file, msgspec.json.encode(saved))
        except OSError as error:
            metrics.PROBLEMS.labels(part="monitor").inc()
            log.error("memory not written file=%s error=%r", self._file, str(error))


def _read(file: Path, now_s: float) -> Saved | None:
    """None where there is none, where it is old, and where it is damaged."""
    try:
        saved = msgspec.json.decode(file.read_bytes(), type=Saved)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.error("memory not read, starting without file=%s error=%r", file, str(error))
        return None
    return saved if now_s - saved.saved_s <= GOOD_FOR_S else None
