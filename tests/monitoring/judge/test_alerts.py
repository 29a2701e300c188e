"""Alerts: each reason is said once when it appears and once when it goes, whatever the webhook and the monitor do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from contract.timestamps import rfc3339
from monitoring.judge.alerts import MOST_UNSENT, Alerts
from monitoring.judge.stage import Problem
from monitoring.judge.webhook import LONGEST_PAUSE_S, Webhook

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NO_MODEL = Problem("no_model", "no model has been admitted yet", "./hotpath models list")
OLD = Problem("model_too_old", "the model is old", "./hotpath models list")


class Receiver:
    """A real webhook: what it took, and the statuses with which it answers first."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                if status == 200:
                    receiver.taken.append(json.loads(body))
                answer = b"the body does not please " * 20
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def codes(self) -> list[tuple[str, str]]:
        return [(alert["code"], alert["state"]) for alert in self.taken]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    threading.Thread(target=receiver.server.serve_forever, daemon=True).start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


class Clock:
    """Seconds that a test lets pass."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monitor" / "alerts.json"


def update(alerts: Alerts, *problems: Problem) -> None:
    alerts.update(NOW, {"flights": problems}, {"flights"})


def test_a_reason_is_said_once_when_it_appears_and_once_when_it_goes(receiver: Receiver, file: Path) -> None:
    alerts, webhook = Alerts(file, has_webhook=True), Webhook(receiver.address)
    for problems in ([NO_MODEL], [NO_MODEL], []):
        update(alerts, *problems)
        webhook.send(alerts)
    assert receiver.codes() == [("no_model", "firing"), ("no_model", "resolved")]
    assert receiver.taken[0]["command"] == "./hotpath models list"
    assert [alert.state for alert in alerts.recent] == ["resolved", "firing"], "the page has the newest first"


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_an_alert_that_the_webhook_cannot_take_now_is_sent_again_after_a_pause_in_order(
    receiver: Receiver, file: Path, status: int
) -> None:
    clock = Clock()
    alerts, webhook = Alerts(file, has_webhook=True), Webhook(receiver.address, clock)
    update(alerts, NO_MODEL, OLD)
    receiver.statuses = [status]
    webhook.send(alerts)
    webhook.send(alerts)
    assert receiver.taken == [], "it pauses"
    clock.now_s += LONGEST_PAUSE_S
    webhook.send(alerts)
    assert receiver.codes() == [("no_model", "firing"), ("model_too_old", "firing")]


def test_an_alert_that_the_webhook_refuses_for_good_does_not_hold_the_others_back(
    receiver: Receiver, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alerts, webhook = Alerts(file, has_webhook=True), Webhook(receiver.address)
    update(alerts, NO_MODEL, OLD)
    receiver.statuses = [400]
    webhook.send(alerts)
    assert receiver.codes() == [("model_too_old", "firing")]
    (dropped,) = [record.getMessage() for record in caplog.records if "dropped" in record.message]
    assert "400" in dropped
    assert dropped.count("the body does not please") == 8, "200 characters of the answer"


DRIPPING_STATUS = b"HTTP/1.1 200 OK\r\nX-Slow: "
DRIPPING_BODY = b"HTTP/1.1 %d Whatever\r\nContent-Length: 100000\r\n\r\n"


class Dripping:
    """A webhook that answers to each post with the same beginning, and then byte by byte for as long as it may."""

    def __init__(self, beginning: bytes) -> None:
        self.posts, self.ended = 0, threading.Event()
        dripping = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                while self.rfile.readline().strip():
                    pass
                dripping.posts += 1
                self.request.sendall(beginning)
                with suppress(OSError):  # the other side has gone
                    for _ in range(200):
                        self.request.sendall(b"x")
                        if dripping.ended.wait(0.1):
                            return

        self.server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"


@contextmanager
def dripping(beginning: bytes) -> Iterator[Dripping]:
    webhook = Dripping(beginning)
    threading.Thread(target=webhook.server.serve_forever, daemon=True).start()
    yield webhook
    webhook.ended.set()
    webhook.server.shutdown()
    webhook.server.server_close()


def test_a_webhook_that_never_comes_to_a_status_is_given_up_at_the_deadline(file: Path) -> None:
    alerts = Alerts(file, has_webhook=True)
    update(alerts, NO_MODEL)
    with dripping(DRIPPING_STATUS) as receiver:
        webhook, began_s = Webhook(receiver.address, deadline_s=0.5), time.monotonic()
        webhook.send(alerts)
        assert time.monotonic() - began_s < 10
    assert [alert.code for alert in alerts.unsent] == ["no_model"], "it waits for the next try"


@pytest.mark.parametrize("status", [200, 404])
def test_the_status_decides_and_no_body_is_waited_for_longer_than_the_deadline(file: Path, status: int) -> None:
    alerts = Alerts(file, has_webhook=True)
    update(alerts, NO_MODEL, OLD)
    with dripping(DRIPPING_BODY % status) as receiver:
        webhook, began_s = Webhook(receiver.address, deadline_s=0.5), time.monotonic()
        webhook.send(alerts)
        assert time.monotonic() - began_s < 10
        assert (receiver.posts, alerts.unsent) == (2, [])


def test_alerts_may_come_and_be_dropped_while_one_is_being_sent(file: Path) -> None:
    alerts = Alerts(file, has_webhook=True)
    update(alerts, NO_MODEL)
    under_way = alerts.unsent[0]
    problems = [Problem(f"code {n}", "text", "") for n in range(MOST_UNSENT)]
    update(alerts, NO_MODEL, *problems)
    alerts.mark_sent(under_way)
    assert [alert.code for alert in alerts.unsent] == [problem.code for problem in problems], "it had been dropped"


def test_what_fires_and_what_waits_survives_a_restart(receiver: Receiver, file: Path) -> None:
    update(Alerts(file, has_webhook=True), NO_MODEL)
    begun_again, webhook = Alerts(file, has_webhook=True), Webhook(receiver.address)
    begun_again.update(NOW + timedelta(minutes=1), {"flights": [NO_MODEL]}, {"flights"})
    webhook.send(begun_again)
    assert receiver.codes() == [("no_model", "firing")], "it was not said twice"
    assert [(alert.code, alert.when) for alert in begun_again.recent] == [("no_model", rfc3339(NOW))]
    webhook.send(Alerts(file, has_webhook=True))
    assert len(receiver.taken) == 1, "what was sent does not wait any more"


def test_a_reason_that_went_while_the_monitor_was_down_is_resolved(receiver: Receiver, file: Path) -> None:
    update(Alerts(file, has_webhook=True), NO_MODEL)
    begun_again = Alerts(file, has_webhook=True)
    update(begun_again)
    Webhook(receiver.address).send(begun_again)
    assert receiver.codes() == [("no_model", "firing"), ("no_model", "resolved")]


def test_of_a_pipeline_that_is_not_known_yet_nothing_is_resolved_and_of_one_that_is_gone_all(file: Path) -> None:
    alerts = Alerts(file, has_webhook=True)
    update(alerts, NO_MODEL)
    alerts.update(NOW, {}, {"flights"})
    assert [alert.state for alert in alerts.recent] == ["firing"]
    alerts.update(NOW, {}, set())
    assert [alert.state for alert in alerts.recent] == ["resolved", "firing"]


def test_a_damaged_file_costs_no_alert_that_holds_now(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"firing": [')
    update(Alerts(file, has_webhook=True), NO_MODEL)
    assert [alert.code for alert in Alerts(file, has_webhook=True).unsent] == ["no_model"]


def test_of_too_many_that_wait_the_newest_stay(file: Path) -> None:
    alerts = Alerts(file, has_webhook=True)
    update(alerts, *(Problem(f"code {n}", "text", "") for n in range(MOST_UNSENT + 2)))
    assert len(alerts.unsent) == MOST_UNSENT
    assert alerts.unsent[-1].code == f"code {MOST_UNSENT + 1}"


def test_without_a_webhook_nothing_waits(file: Path) -> None:
    alerts = Alerts(file, has_webhook=False)
    update(alerts, NO_MODEL)
    assert not alerts.unsent
    assert alerts.recent
