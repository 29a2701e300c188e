"""Alerts from real causes in the running stack, from the fault to the message at the webhook, and to its end.

Engines that stand still are in test_cut_off, a version that is promoted by hand in test_models.
"""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from contract.timestamps import parse_us
from infra.stack.announce import event_of_now
from streaming.pipeline_file.load import load
from tests.integration.conftest import RunningStack
from tests.waiting import until

pytestmark = pytest.mark.engines

HOST = "clock-of-another-day"
AHEAD = timedelta(hours=3)


def moment_s(text: str) -> float:
    return parse_us(text) / 1e6


def message(
    stack: RunningStack, alert: str, state: str = "firing", since_s: float = 0.0, item: str = ""
) -> dict[str, Any] | None:
    """The first message of it that the webhook has taken since a moment."""
    found = (
        each
        for each in list(stack.webhook.taken)
        if (each["alert"], each["state"]) == (alert, state) and moment_s(each["when"]) >= since_s
    )
    return next((each for each in found if not item or item in each["items"]), None)


def items(stack: RunningStack, alert: str, state: str, since_s: float) -> set[str]:
    """What the messages of it since a moment are about."""
    return {
        item
        for each in list(stack.webhook.taken)
        if (each["alert"], each["state"]) == (alert, state) and moment_s(each["when"]) >= since_s
        for item in each["items"]
    }


def ask(stack: RunningStack, number: int, ahead: timedelta) -> None:
    """A question by a host whose clock is ahead by so much, on the on-prem topic."""
    pipeline = load(stack.places.pipelines / "flights.toml")
    event = event_of_now(pipeline, datetime.now(UTC) + ahead)
    event |= {"host": HOST, "question_id": f"{HOST}-{number}", "flight": 9000 + number}
    producer = Producer(stack.places.onprem.client())
    producer.produce(pipeline.events.topic, json.dumps(event).encode(), str(number).encode())
    assert producer.flush(30) == 0


def test_a_clock_that_is_three_hours_ahead_and_a_part_that_hangs_are_told_and_resolved(stack: RunningStack) -> None:
    replay = stack.part_pid("replay-flights")
    assert replay is not None
    began_s = time.time()
    for number in range(4):
        ask(stack, number, AHEAD)
    os.kill(replay, signal.SIGSTOP)
    try:
        ahead = until(lambda: message(stack, "clock_ahead", since_s=began_s, item=HOST), 60, "the clock")
        hangs = until(lambda: message(stack, "own_part_silent", since_s=began_s), 60, "the replay")
    finally:
        os.kill(replay, signal.SIGCONT)
    goes_on_s = time.time()
    print(f"told after {moment_s(ahead['when']) - began_s:.0f} s and {moment_s(hangs['when']) - began_s:.0f} s")
    assert ahead["text"].startswith(f"the clock of {HOST} is 3:00 h ahead")
    assert (ahead["severity"], ahead["unit"], ahead["threshold"]) == ("critical", "s", 5.0)
    assert ahead["value"] == pytest.approx(AHEAD.total_seconds(), abs=60)
    assert hangs["items"] == ["replay-flights"]
    assert hangs["command"] == "./hotpath logs replay-flights"
    listed = json.loads(stack.hotpath("alerts", "list", "--json").stdout)
    assert ("clock_ahead", HOST, "firing") in {(row["alert"], row["item"], row["state"]) for row in listed}

    is_right_s = time.time()
    ask(stack, 9, timedelta(0))
    for alert, item, over_s in (("clock_ahead", HOST, is_right_s), ("own_part_silent", "replay-flights", goes_on_s)):
        end = until(partial(message, stack, alert, "resolved", over_s, item), 120, f"the end of {alert}")
        print(f"{alert} resolved after {moment_s(end['when']) - over_s:.0f} s")


@pytest.mark.ends
@pytest.mark.patient
@pytest.mark.timeout(1800)
def test_a_realised_figure_below_its_floor_is_told_with_interval_and_slices(
    stack: RunningStack, tmp_path: Path
) -> None:
    """A floor that no model reaches; the file is deployed on the running stack, and then as it was."""
    deployed = stack.places.pipelines / "flights.toml"
    before = deployed.read_text(encoding="utf-8")
    strict, as_it_was = tmp_path / "strict" / "flights.toml", tmp_path / "before" / "flights.toml"
    added = '\n[monitoring.alerts.no_model_is_so_good]\nmetric = "auc"\nbelow = 0.9999\nseverity = "critical"\n'
    for file, text in ((strict, before + added), (as_it_was, before)):
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
    until(lambda: _has_figures(stack), 500, "outcomes of both kinds of an airport", every_s=2)
    began_s = time.time()
    done = stack.hotpath("up", str(strict))
    assert done.returncode == 0, done.stdout + done.stderr
    told = until(lambda: message(stack, "no_model_is_so_good", since_s=began_s), 60, "the message")
    assert told["low"] < told["value"] < told["high"] < told["threshold"] == 0.9999
    assert told["count"] >= 30
    assert any(line.startswith(("origin=", "carrier=", "producing_host=")) for line in told["because"])
    over_s = time.time()
    assert stack.hotpath("up", str(as_it_was)).returncode == 0
    until(lambda: message(stack, "no_model_is_so_good", "resolved", over_s), 120, "its end")


def _has_figures(stack: RunningStack) -> bool:
    rows = json.loads(stack.hotpath("alerts", "list", "--json").stdout)
    return any(row["alert"] == "origin_auc" and row["state"] in ("ok", "inconclusive", "firing") for row in rows)
