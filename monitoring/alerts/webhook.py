"""Sending alerts to the webhook: in order, again after a failure, and past one that the webhook refuses for good.

It has a thread of its own: whatever the webhook does with a connection, looks and judgement go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from threading import Event

import httpx

from contract import metrics
from monitoring.alerts.alert_book import AlertBook
from monitoring.alerts.alert_messages import Format, Message, payload

DEADLINE_S = 10.0
"""For a post as a whole, from the connection to the status of the answer: the time-outs of a client are for each read,
and a server that sends a byte every two seconds would never meet them."""
MOST_ANSWER_BYTES = 1024
"""So much is read of why an alert is refused; of other answers only the status is."""
SEND_EVERY_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 3.0, 300.0
WORTH_ANOTHER_TRY = (408, 429)
log = logging.getLogger("monitor")


class RefusedForGood(Exception):
    """The webhook will never take this alert."""


class Webhook:
    """One address. After a failure nothing is sent for a pause, which doubles with each failure in a row."""

    def __init__(
        self,
        address: str,
        clock: Callable[[], float] = time.monotonic,
        deadline_s: float = DEADLINE_S,
        kind: Format = "json",
    ) -> None:
        self._address, self._clock, self._deadline_s, self._kind = address, clock, deadline_s, kind
        self._failures = 0
        self._not_before_s = clock()

    def keep_sending(self, alerts: AlertBook, asked_to_end: Event) -> None:
        """Until asked to end; runs in a thread of its own."""
        while not asked_to_end.wait(SEND_EVERY_S):
            try:
                self.send(alerts)
            except Exception:
                metrics.PROBLEMS.labels(part="monitor").inc()
                log.exception("alerts not sent, trying again")

    def send(self, alerts: AlertBook) -> None:
        """Send what waits, the oldest first, as long as the webhook takes it."""
        if alerts.unsent and self._not_before_s <= self._clock():
            asyncio.run(self._send(alerts))

    async def _send(self, alerts: AlertBook) -> None:
        async with httpx.AsyncClient(timeout=self._deadline_s) as client:
            while waiting := alerts.unsent:
                delivery = "sent"
                try:
                    await self._post(client, waiting[0])
                except RefusedForGood as error:
                    delivery = f"refused: {error}"
                    metrics.ALERTS_DROPPED.labels(why="refused").inc()
                    log.error("alert dropped, since the webhook refuses it alert=%s answer=%s", waiting[0], error)
                except (httpx.HTTPError, TimeoutError) as error:
                    self._pause(error)
                    return
                self._failures = 0
                alerts.mark(waiting[0], delivery)

    async def _post(self, client: httpx.AsyncClient, alert: Message) -> None:
        """Raises: RefusedForGood; httpx.HTTPError or TimeoutError where another try may help."""
        request = client.build_request("POST", self._address, json=payload(alert, self._kind))
        async with asyncio.timeout(self._deadline_s):
            answer = await client.send(request, stream=True)
        try:
            if answer.is_client_error and answer.status_code not in WORTH_ANOTHER_TRY:
                raise RefusedForGood(f"{answer.status_code} {await self._beginning(answer)!r}")
            answer.raise_for_status()
        finally:
            await answer.aclose()

    async def _beginning(self, answer: httpx.Response) -> str:
        """200 characters of the answer, or as many as come before the deadline."""
        read = bytearray()
        try:
            async with asyncio.timeout(self._deadline_s):
                async for chunk in answer.aiter_raw():
                    read += chunk
                    if len(read) >= MOST_ANSWER_BYTES:
                        break
        except (httpx.HTTPError, TimeoutError) as error:
            log.info("the webhook's answer was not read to its end why=%r", _words(error))
        return read[:MOST_ANSWER_BYTES].decode(errors="replace")[:200]

    def _pause(self, error: Exception) -> None:
        self._failures += 1
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self._failures - 1))
        self._not_before_s = self._clock() + pause_s
        metrics.WEBHOOK_FAILURES.inc()
        log.warning("webhook failed, trying again in %.0f s error=%r", pause_s, _words(error))


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
