"""Messages reach the webhook once and in order, whatever the webhook and the monitor do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from monitoring.alerts.alert_book import MOST_UNSENT, AlertBook
from monitoring.alerts.alert_messages import Message, moment
from monitoring.alerts.webhook import LONGEST_PAUSE_S, Webhook
from tests.monitoring.alerts.receiver import Receiver, receiving
from tests.monitoring.alerts.turns import NOW_S, turn

NO_MODEL, OLD = {"no_model": 1.0}, {"no_model": 1.0, "model_age": 9e9}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


class Clock:
    """Seconds that a test lets pass."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monitor" / "alerts.json"


def test_a_reason_is_said_once_when_it_appears_and_once_when_it_goes(receiver: Receiver, file: Path) -> None:
    alerts, webhook = AlertBook(file, has_webhook=True), Webhook(receiver.address)
    for problems in (NO_MODEL, NO_MODEL, {"no_model": 0.0}):
        turn(alerts, problems)
        webhook.send(alerts)
    assert receiver.codes() == [("no_model", "firing"), ("no_model", "resolved")]
    assert receiver.taken[0]["command"] == "./hotpath models list"
    assert [told.message.state for told in alerts.told] == ["resolved", "firing"], "the page has the newest first"
    assert [told.delivery for told in alerts.told] == ["sent", "sent"]


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_an_alert_that_the_webhook_cannot_take_now_is_sent_again_after_a_pause_in_order(
    receiver: Receiver, file: Path, status: int
) -> None:
    clock = Clock()
    alerts, webhook = AlertBook(file, has_webhook=True), Webhook(receiver.address, clock)
    turn(alerts, OLD)
    receiver.statuses = [status]
    webhook.send(alerts)
    webhook.send(alerts)
    assert receiver.taken == [], "it pauses"
    clock.now_s += LONGEST_PAUSE_S
    webhook.send(alerts)
    assert receiver.codes() == [("no_model", "firing"), ("model_age", "firing")]


def test_an_alert_that_the_webhook_refuses_for_good_does_not_hold_the_others_back(
    receiver: Receiver, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alerts, webhook = AlertBook(file, has_webhook=True), Webhook(receiver.address)
    turn(alerts, OLD)
    receiver.statuses = [400]
    webhook.send(alerts)
    assert receiver.codes() == [("model_age", "firing")]
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
    alerts = AlertBook(file, has_webhook=True)
    turn(alerts, NO_MODEL)
    with dripping(DRIPPING_STATUS) as receiver:
        webhook, began_s = Webhook(receiver.address, deadline_s=0.5), time.monotonic()
        webhook.send(alerts)
        assert time.monotonic() - began_s < 10
    assert [alert.code for alert in alerts.unsent] == ["no_model"], "it waits for the next try"


@pytest.mark.parametrize("status", [200, 404])
def test_the_status_decides_and_no_body_is_waited_for_longer_than_the_deadline(file: Path, status: int) -> None:
    alerts = AlertBook(file, has_webhook=True)
    turn(alerts, OLD)
    with dripping(DRIPPING_BODY % status) as receiver:
        webhook, began_s = Webhook(receiver.address, deadline_s=0.5), time.monotonic()
        webhook.send(alerts)
        assert time.monotonic() - began_s < 10
        assert (receiver.posts, alerts.unsent) == (2, [])


def a_message(code: str) -> Message:
    return Message("flights", code, "firing", "text", moment(NOW_S), id=code)


def test_messages_may_come_and_be_dropped_while_one_is_being_sent(file: Path) -> None:
    alerts = AlertBook(file, has_webhook=True)
    turn(alerts, NO_MODEL)
    under_way = alerts.unsent[0]
    codes = [f"code {n}" for n in range(MOST_UNSENT)]
    for code in codes:
        alerts.say(a_message(code))
    alerts.mark(under_way, "sent")
    assert [message.code for message in alerts.unsent] == codes, "it had been dropped"


def test_what_fires_and_what_waits_survives_a_restart(receiver: Receiver, file: Path) -> None:
    turn(AlertBook(file, has_webhook=True), NO_MODEL)
    begun_again, webhook = AlertBook(file, has_webhook=True), Webhook(receiver.address)
    turn(begun_again, NO_MODEL, NOW_S + 60)
    webhook.send(begun_again)
    assert receiver.codes() == [("no_model", "firing")], "it was not said twice"
    assert [(told.message.code, told.message.when) for told in begun_again.told] == [("no_model", moment(NOW_S))]
    webhook.send(AlertBook(file, has_webhook=True))
    assert len(receiver.taken) == 1, "what was sent does not wait any more"


def test_a_reason_that_went_while_the_monitor_was_down_is_resolved(receiver: Receiver, file: Path) -> None:
    turn(AlertBook(file, has_webhook=True), NO_MODEL)
    begun_again = AlertBook(file, has_webhook=True)
    turn(begun_again, {"no_model": 0.0})
    Webhook(receiver.address).send(begun_again)
    assert receiver.codes() == [("no_model", "firing"), ("no_model", "resolved")]


def test_of_a_pipeline_that_is_not_known_yet_nothing_is_resolved_and_of_one_that_is_gone_all(file: Path) -> None:
    alerts = AlertBook(file, has_webhook=True)
    turn(alerts, NO_MODEL)
    alerts.update(NOW_S, {}, {"flights"})
    assert [told.message.state for told in alerts.told] == ["firing"]
    alerts.update(NOW_S, {}, set())
    assert [told.message.state for told in alerts.told] == ["resolved", "firing"]


@pytest.mark.parametrize("content", ['{"entries": [', "[]", '{"entries": [{"pipeline": 5}]}', "[" * 100_000, "\xff"])
def test_a_damaged_file_costs_no_alert_that_holds_now(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content, encoding="latin-1")
    turn(AlertBook(file, has_webhook=True), NO_MODEL)
    assert [message.code for message in AlertBook(file, has_webhook=True).unsent] == ["no_model"]


def test_of_an_earlier_versions_file_what_waits_is_sent(receiver: Receiver, file: Path) -> None:
    old = {"pipeline": "flights", "code": "pinned", "state": "firing", "text": "t", "when": "w", "command": "c"}
    file.parent.mkdir()
    file.write_text(json.dumps({"firing": [old], "unsent": [old], "recent": [old]}))
    Webhook(receiver.address).send(AlertBook(file, has_webhook=True))
    assert receiver.codes() == [("pinned", "firing")]


def test_of_too_many_that_wait_the_newest_stay(file: Path) -> None:
    alerts = AlertBook(file, has_webhook=True)
    for n in range(MOST_UNSENT + 2):
        alerts.say(a_message(f"code {n}"))
    assert len(alerts.unsent) == MOST_UNSENT
    assert alerts.unsent[-1].code == f"code {MOST_UNSENT + 1}"


def test_without_a_webhook_nothing_waits(file: Path) -> None:
    alerts = AlertBook(file, has_webhook=False)
    turn(alerts, NO_MODEL)
    assert not alerts.unsent
    assert [told.delivery for told in alerts.told] == ["shown"]


def test_slack_gets_a_text_in_its_own_shape(receiver: Receiver, file: Path) -> None:
    alerts, webhook = AlertBook(file, has_webhook=True), Webhook(receiver.address, kind="slack")
    turn(alerts, NO_MODEL)
    webhook.send(alerts)
    (body,) = receiver.taken
    assert body.keys() == {"text"}
    assert body["text"].startswith("*[critical] flights: ")
    assert "Look closer: `./hotpath models list`" in body["text"]
