"""`hotpath alerts` beside a monitor that runs: what stands, what was said, a test message, and silences."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from contract.alert_catalogue import ALERTS
from contract.layout import Places
from infra.cli import main
from infra.commands.tell_alerts import line_of, table_of
from monitoring.alerts.silences import read_silences
from monitoring.judge.outcome_follower import LakeFollower
from monitoring.monitor import Monitor
from monitoring.page.page_server import Pages, serve_page
from tests.monitoring.alerts.receiver import Receiver, receiving

EXAMPLE = Path(__file__).parents[3] / "examples/flights/pipeline.toml"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipelines").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "pipelines" / "flights.toml")
    monkeypatch.setenv("HOTPATH_DATA", str(tmp_path))
    monkeypatch.setenv("HOTPATH_PAGE", "127.0.0.1:9")
    return tmp_path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@contextmanager
def monitoring(data: Path, webhook: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A monitor that looks ten times a second at a stack of which nothing runs."""
    given = {"HOTPATH_HDFS": f"file://{data}", "HOTPATH_WEBHOOK": webhook}
    places, pages, asked_to_end = Places(data, given), Pages(), threading.Event()
    monitor = Monitor(places, None, LakeFollower(places, list), pages)
    server = serve_page(("127.0.0.1", 0), pages)
    monkeypatch.setenv("HOTPATH_PAGE", f"127.0.0.1:{server.server_port}")

    def look() -> None:
        with httpx.Client() as client:
            while not asked_to_end.wait(0.1):
                monitor.look(client)

    threads = [threading.Thread(target=each) for each in (look, server.serve_forever)]
    for thread in threads:
        thread.start()
    monitor.start_threads()
    try:
        while pages.answer("/status.json")[0] != 200:
            time.sleep(0.05)
        yield
    finally:
        asked_to_end.set()
        monitor.end()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join(10)


def test_the_list_shows_every_alert_with_its_state_and_threshold(
    data: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monitoring(data, receiver.address, monkeypatch):
        assert main(["alerts", "list"]) == 0
        text = capsys.readouterr().out
        assert [name for name in ALERTS if f" {name} " not in text] == []
        (floor,) = [line for line in text.splitlines() if " auc " in line]
        assert floor.split() == ["no", "data", "auc", "flights", "critical", "below", "0.6"]
        assert main(["alerts", "list", "--json", "--pipeline", "flights"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert {row["pipeline"] for row in rows} == {"flights"}
        assert main(["alerts", "history"]) == 0
        assert capsys.readouterr().out == "nothing was said yet\n"


@pytest.mark.parametrize("alert", ["disk", "model_age"])
def test_a_test_message_reaches_the_webhook(
    data: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], alert: str
) -> None:
    with monitoring(data, receiver.address, monkeypatch):
        assert main(["alerts", "test", alert]) == 0
        assert capsys.readouterr().out == f"the webhook has taken a test message of {alert}\n"
        (taken,) = receiver.taken
        assert (taken["state"], taken["alert"], taken["pipeline"]) == (
            "test",
            alert,
            "" if alert == "disk" else "flights",
        )
        assert main(["alerts", "history"]) == 0
        assert "this is a test of the alert" in capsys.readouterr().out


def test_a_webhook_that_refuses_the_test_is_told(
    data: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.statuses = [403]
    with monitoring(data, receiver.address, monkeypatch):
        assert main(["alerts", "test", "disk"]) == 1
    assert "it was refused: 403 " in capsys.readouterr().err


def test_without_a_webhook_the_test_says_that_nothing_is_sent(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monitoring(data, "", monkeypatch):
        assert main(["alerts", "test", "disk"]) == 1
    assert "HOTPATH_WEBHOOK is not set" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["list"], ["history"], ["test", "disk"]])
def test_where_no_stack_runs_it_says_so(data: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", *words]) == 1
    assert "no stack runs here, so nothing judges alerts; `hotpath up` starts it" in capsys.readouterr().err


def test_a_silence_says_who_and_until_when_and_can_be_lifted(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = data / "monitor" / "silences.json"
    for lasts in ("2h", "1h"):
        assert main(["alerts", "silence", "clock_ahead:ops-1", "--for", lasts, "--pipeline", "flights"]) == 0
    (silence,) = read_silences(file, time.time())
    assert (silence.alert, silence.item, silence.pipeline) == ("clock_ahead", "ops-1", "flights")
    assert silence.who
    assert 3590 < silence.until_s - time.time() <= 3600, "the second one counts"
    assert main(["alerts", "lift", "clock_ahead"]) == 1
    assert "silenced are: clock_ahead:ops-1" in capsys.readouterr().err
    assert main(["alerts", "lift", "clock_ahead:ops-1", "--pipeline", "flights"]) == 0
    assert read_silences(file, time.time()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["silence", "clock_ahed", "--for", "1h"], 'there is no alert "clock_ahed"; did you mean "clock_ahead"?'),
        (["silence", "disk", "--for", "1h", "--pipeline", "flihts"], "flihts"),
        (["test", "model_age", "--pipeline", "machines"], "machines"),
    ],
)
def test_what_is_not_there_is_refused(
    data: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("lasts", ["0s", "soon", "5 parsecs"])
def test_a_silence_lasts_a_duration(data: Path, lasts: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["alerts", "silence", "disk", "--for", lasts])
    assert ended.value.code == 2
    assert "argument --for" in capsys.readouterr().err


def test_names_and_words_from_outside_reach_no_terminal_as_they_are() -> None:
    row = {
        "state": "firing", "alert": "clock_ahead", "item": "a\x1b[31m\n", "pipeline": "flights", "severity": "critical",
        "text": "the clock of a\x1b[31m\n is ahead", "value": 900.0, "low": None, "high": None, "threshold": 5.0,
        "side": "above", "unit": "s", "since": "2026-11-28T04:00:00.000Z", "silenced_by": None, "silenced_until": None,
        "explained_by": None, "command": "./hotpath logs \x07",
    }  # fmt: skip
    lines = table_of([row])
    assert all(line.isprintable() for line in lines)
    assert lines[1].split()[:2] == ["firing", r"clock_ahead:a\x1b[31m\n"]
    assert "15 min" in lines[1]
    told = {"when": "w", "state": "firing", "pipeline": "", "text": "\x1b[31m", "explains": ["x"], "delivery": "sent"}
    assert line_of(told) == r"w  firing    the stack: \x1b[31m; it explains 1 more  [sent]"
