"""Alerts: a reason that appears or goes is said once, on the page, in the log and to the webhook."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import httpx

from contract import metrics
from contract.timestamps import rfc3339

KEPT = 50
TIMEOUT_S = 5.0
log = logging.getLogger("monitor")


@dataclass(frozen=True)
class Alert:
    """One message: `state` is firing or resolved; `when` RFC 3339."""

    pipeline: str
    code: str
    state: str
    text: str
    when: str


class Alerts:
    """Remembers what fires. A message that the webhook does not take is sent again at the next look."""

    def __init__(self, webhook: str | None) -> None:
        self._webhook = webhook
        self._firing: dict[tuple[str, str], str] = {}
        self._unsent: deque[Alert] = deque(maxlen=KEPT)
        self.recent: deque[Alert] = deque(maxlen=KEPT)

    def update(self, now: datetime, reasons: Mapping[str, Iterable[tuple[str, str]]]) -> None:
        """`reasons`: by pipeline, all (code, text) that hold now."""
        current = {(name, code): text for name, pairs in reasons.items() for code, text in pairs}
        for (pipeline, code), text in current.items():
            if (pipeline, code) not in self._firing:
                self._say(Alert(pipeline, code, "firing", text, rfc3339(now)))
        for (pipeline, code), text in self._firing.items():
            if (pipeline, code) not in current:
                self._say(Alert(pipeline, code, "resolved", text, rfc3339(now)))
        self._firing = current

    def send(self, client: httpx.Client) -> None:
        """Send what waits, oldest first, until the webhook refuses."""
        while self._unsent and self._webhook:
            body = json.dumps(asdict(self._unsent[0]))
            try:
                headers = {"Content-Type": "application/json"}
                client.post(self._webhook, content=body, headers=headers, timeout=TIMEOUT_S).raise_for_status()
            except httpx.HTTPError as error:
                metrics.WEBHOOK_FAILURES.inc()
                log.warning("the webhook took no alert (%s); it is sent again", error or type(error).__name__)
                return
            self._unsent.popleft()

    def _say(self, alert: Alert) -> None:
        log.warning("%s %s: %s", alert.state, alert.pipeline, alert.text)
        self.recent.appendleft(alert)
        if self._webhook:
            self._unsent.append(alert)
