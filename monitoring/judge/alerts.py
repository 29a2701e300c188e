"""Alerts: a reason that appears or goes is said once, on the page, in the log and to the webhook.

What fires and what waits for the webhook is in a file: a restart of the monitor repeats and forgets nothing, and a
reason that went meanwhile is resolved.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import RLock

import msgspec

from contract import metrics
from contract.files import write_durably
from contract.timestamps import rfc3339
from monitoring.judge.stage import Problem

KEPT = 50
MOST_UNSENT = 1000
OF_THE_STACK = ""
"""Stands for the pipeline in an alert that belongs to none."""
log = logging.getLogger("monitor")


@dataclass(frozen=True)
class Alert:
    """One message: `state` is firing or resolved; `when` RFC 3339; `command` looks closer."""

    pipeline: str
    code: str
    state: str
    text: str
    when: str
    command: str = ""


@dataclass
class AlertState:
    """What outlives the process."""

    firing: list[Alert] = field(default_factory=list)
    unsent: list[Alert] = field(default_factory=list)
    recent: list[Alert] = field(default_factory=list)


class Alerts:
    """Remembers what fires, and what waits for the webhook.

    Any thread may use it: the one that looks updates it, that of the webhook takes what waits.
    """

    def __init__(self, file: Path, has_webhook: bool) -> None:
        state = _read(file)
        self._file, self._has_webhook = file, has_webhook
        self._firing = {(alert.pipeline, alert.code): alert for alert in state.firing}
        self._unsent: deque[Alert] = deque(state.unsent if has_webhook else ())
        self._recent: deque[Alert] = deque(state.recent, maxlen=KEPT)
        self._lock = RLock()

    @property
    def recent(self) -> list[Alert]:
        """The last alerts, the newest first."""
        with self._lock:
            return list(self._recent)

    @property
    def unsent(self) -> list[Alert]:
        """What waits for the webhook, the oldest first; without a webhook nothing does."""
        with self._lock:
            return list(self._unsent)

    def firing_of(self, pipeline: str) -> list[Problem]:
        """What fires for a pipeline now."""
        with self._lock:
            alerts = [alert for (name, _), alert in self._firing.items() if name == pipeline]
        return [Problem(alert.code, alert.text, alert.command) for alert in alerts]

    def mark_sent(self, alert: Alert) -> None:
        """It waits no longer. Meanwhile it may have been dropped already, as the oldest of too many."""
        with self._lock:
            if self._unsent and self._unsent[0] is alert:
                self._unsent.popleft()
                self.save()

    def update(self, now: datetime, reasons: Mapping[str, Iterable[Problem]], deployed: Collection[str]) -> None:
        """`reasons`: by pipeline, all that hold now. Of a deployed pipeline that is not among them nothing is known."""
        with self._lock:
            self._update(now, reasons, deployed)

    def _update(self, now: datetime, reasons: Mapping[str, Iterable[Problem]], deployed: Collection[str]) -> None:
        current = {(name, problem.code): problem for name, problems in reasons.items() for problem in problems}
        appeared = [key for key in current if key not in self._firing]
        gone = [key for key in self._firing if key not in current and (key[0] in reasons or key[0] not in deployed)]
        for pipeline, code in appeared:
            problem = current[pipeline, code]
            alert = Alert(pipeline, code, "firing", problem.text, rfc3339(now), problem.command)
            self._firing[pipeline, code] = alert
            self._say(alert)
        for key in gone:
            fired = self._firing.pop(key)
            self._say(Alert(fired.pipeline, fired.code, "resolved", fired.text, rfc3339(now), fired.command))
        if appeared or gone:
            self.save()

    def save(self) -> None:
        """Write the file; a disk that refuses is logged and counted, and costs what a restart then repeats."""
        with self._lock:
            state = AlertState(list(self._firing.values()), list(self._unsent), list(self._recent))
            try:
                write_durably(self._file, msgspec.json.encode(state))
            except OSError as error:
                metrics.PROBLEMS.labels(part="monitor").inc()
                log.error("alerts not written file=%s error=%r", self._file, str(error))

    def _say(self, alert: Alert) -> None:
        log.warning("alert state=%s pipeline=%s code=%s text=%r", alert.state, alert.pipeline, alert.code, alert.text)
        self._recent.appendleft(alert)
        if not self._has_webhook:
            return
        if len(self._unsent) >= MOST_UNSENT:
            metrics.ALERTS_DROPPED.labels(why="too_many").inc()
            log.error("alert dropped, since %d wait for the webhook dropped=%s", MOST_UNSENT, self._unsent.popleft())
        self._unsent.append(alert)


def _read(file: Path) -> AlertState:
    """A damaged file is logged; it is replaced by the next alert."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=AlertState)
    except FileNotFoundError:
        return AlertState()
    except (OSError, msgspec.DecodeError) as error:
        metrics.PROBLEMS.labels(part="monitor").inc()
        log.error("alerts not read, starting with none file=%s error=%r", file, str(error))
        return AlertState()
