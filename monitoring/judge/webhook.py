"""Sending alerts to the webhook: in order, again after a failure, and past one that the webhook refuses for good."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict

import httpx

from contract import metrics
from monitoring.judge.alerts import Alert, Alerts

TIMEOUT_S = 5.0
AT_MOST_S = 5.0
"""So long a look sends at most; the rest waits for the next one."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 3.0, 300.0
WORTH_ANOTHER_TRY = (408, 429)
log = logging.getLogger("monitor")


class RefusedForGood(Exception):
    """The webhook will never take this alert."""


class Webhook:
    """One address. After a failure nothing is sent for a pause, which doubles with each failure in a row."""

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._address, self._clock = address, clock
        self._failures = 0
        self._not_before_s = clock()

    def send(self, client: httpx.Client, alerts: Alerts) -> None:
        """Send what waits, the oldest first."""
        began_s = self._clock()
        while alerts.unsent and self._not_before_s <= self._clock() < began_s + AT_MOST_S:
            try:
                self._post(client, alerts.unsent[0])
            except RefusedForGood as error:
                metrics.ALERTS_DROPPED.labels(why="refused").inc()
                log.error("alert dropped, since the webhook refuses it alert=%s answer=%s", alerts.unsent[0], error)
            except httpx.HTTPError as error:
                self._pause(error)
                return
            self._failures = 0
            alerts.unsent.popleft()
            alerts.save()

    def _post(self, client: httpx.Client, alert: Alert) -> None:
        """Raises: RefusedForGood; httpx.HTTPError where another try may help."""
        answer = client.post(self._address, json=asdict(alert), timeout=TIMEOUT_S)
        if answer.is_client_error and answer.status_code not in WORTH_ANOTHER_TRY:
            raise RefusedForGood(f"{answer.status_code} {answer.text[:200]!r}")
        answer.raise_for_status()

    def _pause(self, error: httpx.HTTPError) -> None:
        self._failures += 1
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self._failures - 1))
        self._not_before_s = self._clock() + pause_s
        metrics.WEBHOOK_FAILURES.inc()
        log.warning("webhook failed, trying again in %.0f s error=%r", pause_s, str(error) or type(error).__name__)
