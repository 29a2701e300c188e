"""The monitor's turn, from a part's real `/metrics` to the page and the alerts; and a monitor that starts again."""

from __future__ import annotations

import html
import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry, start_http_server

from contract import metrics
from contract.alert_catalogue import ALERTS
from contract.layout import Places
from contract.metric_types import Gauge, sample_name
from monitoring.alerts.alert_book import AlertBook
from monitoring.alerts.alert_trials import TrialRequest, ask_for_trial
from monitoring.alerts.silences import Silence, write_silences
from monitoring.judge.memory import Saved
from monitoring.judge.outcome_follower import LakeFollower
from monitoring.monitor import STARTING_AGAIN_S, Monitor
from monitoring.page.page_server import Pages

EXAMPLE = Path(__file__).parents[2] / "examples/flights/pipeline.toml"
STEP = {"pipeline": "flights", "step": "rows job"}


class Parts:
    """The streaming job and the rollout, as far as their metrics go."""

    def __init__(self, folder: Path) -> None:
        self.registry = CollectorRegistry()
        self.failures = Gauge(
            sample_name(metrics.STREAM_FAILURES_IN_A_ROW), "Failures.", ["pipeline", "step"], registry=self.registry
        )
        self.failures.labels(**STEP).set(0)
        self.model = Gauge(
            sample_name(metrics.CURRENT_MODEL), "Champion.", ["pipeline", "model"], registry=self.registry
        )
        self.pinned = Gauge(
            sample_name(metrics.MODEL_PINNED), "Pinned.", ["pipeline", "model", "who"], registry=self.registry
        )
        self.server, self.thread = start_http_server(0, addr="127.0.0.1", registry=self.registry)
        target = f"127.0.0.1:{self.server.server_port}"
        groups = [{"targets": [target], "labels": {"part": part}} for part in ("streaming", "rollout-flights")]
        (folder / "run").mkdir()
        (folder / "run" / "targets.json").write_text(json.dumps(groups))

    def end(self) -> None:
        if self.thread.is_alive():
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "pipelines").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "pipelines" / "flights.toml")
    return Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})


@pytest.fixture
def parts(places: Places) -> Iterator[Parts]:
    parts = Parts(places.data)
    yield parts
    parts.end()


class Clock:
    """The time, and some seconds that a test lets pass."""

    ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


def states(monitor: Monitor) -> dict[str, set[str]]:
    """The states of each alert's items."""
    found: dict[str, set[str]] = {}
    for row in json.loads(monitor.pages.answer("/status.json")[2])["alert_states"]:
        found.setdefault(row["alert"], set()).add(row["state"])
    return found


def look(places: Places, monitor: Monitor | None = None) -> dict[str, Any]:
    """What the page says of the pipeline after a turn, by default of a monitor that has just started."""
    (pipeline,) = looked(monitor or Monitor(places, None, LakeFollower(places, list), Pages()))
    return pipeline


def looked(monitor: Monitor) -> list[dict[str, Any]]:
    """What the page says of each pipeline after a turn."""
    with httpx.Client() as client:
        monitor.look(client)
    shown: list[dict[str, Any]] = json.loads(monitor.pages.answer("/status.json")[2])["pipelines"]
    return shown


def problems(pipeline: dict[str, Any]) -> list[str]:
    return [problem["text"] for stage in pipeline["stages"] for problem in stage["problems"]]


def fired(places: Places) -> list[tuple[str, str]]:
    """(code, state) of the messages, the oldest first; those about the model, which there is none of, left out."""
    told = AlertBook(places.folder.monitor_alerts, has_webhook=False).told
    return [(each.message.code, each.message.state) for each in reversed(told) if each.message.code != "no_model"]


def test_what_a_part_measures_is_told_and_resolved_also_by_a_monitor_that_starts_in_between(
    places: Places, parts: Parts
) -> None:
    failing = ("step_failing:rows job", "firing")
    parts.failures.labels(**STEP).set(13)
    assert problems(look(places)) == ["the rows job has failed 13 times in a row"]
    assert fired(places) == [failing]
    look(places)
    assert fired(places) == [failing], "the second monitor knows that it was said"
    parts.failures.labels(**STEP).set(0)
    assert problems(look(places)) == []
    assert fired(places) == [failing, (failing[0], "resolved")]


def test_a_part_that_falls_silent_is_told_but_not_while_it_may_be_starting(places: Places, parts: Parts) -> None:
    clock = Clock()
    monitor = Monitor(places, None, LakeFollower(places, list), Pages(), clock)
    look(places, monitor)
    parts.end()
    assert problems(look(places, monitor)) == [], "a single scrape that fails is none"
    assert states(monitor)["part_silent"] == {"pending"}
    clock.ahead_s += 10
    silent = problems(look(places, monitor))
    assert states(monitor)["part_silent"] == {"firing"}
    assert silent
    assert all("does not answer" in text for text in silent)
    told = fired(places)
    assert len(problems(look(places))) == len(silent), "a monitor that starts meanwhile does not know better"
    assert fired(places) == told
    places.folder.monitor_alerts.unlink()
    assert problems(look(places)) == [], "one that has never seen it gives it time to start"


def test_after_a_restart_of_the_whole_stack_parts_have_time_to_start(places: Places, parts: Parts) -> None:
    monitor = Monitor(places, None, LakeFollower(places, list), Pages())
    look(places, monitor)
    remembered = Saved(time.time(), {"streaming", "trainer", "watcher"}, [], {})
    places.folder.monitor_memory.write_bytes(msgspec.json.encode(remembered))
    parts.end()
    clock = Clock()
    again = Monitor(places, None, LakeFollower(places, list), Pages(), clock)
    assert problems(look(places, again)) == []
    for ahead_s in (STARTING_AGAIN_S, STARTING_AGAIN_S + 10):
        clock.ahead_s = ahead_s
        looked(again)
    assert problems(look(places, again)), "those that had answered before are silent now"


def test_a_file_that_has_vanished_is_told(places: Places, parts: Parts) -> None:
    monitor = Monitor(places, None, LakeFollower(places, list), Pages())
    look(places, monitor)
    places.folder.pipeline_file("flights").unlink()
    (vanished,) = look(places, monitor)["problems"]
    assert "has vanished" in vanished["text"]


def test_what_one_pipeline_raises_is_its_own_problem_and_resolves_nothing(places: Places, parts: Parts) -> None:
    shutil.copy(EXAMPLE.parents[2] / "tests/pipelines/minimal.toml", places.data / "pipelines" / "machines.toml")
    monitor = Monitor(places, None, LakeFollower(places, list), Pages())
    parts.failures.labels(**STEP).set(13)
    looked(monitor)
    pin = {"pipeline": "flights", "model": "flights-20261121T021700Z", "who": "me"}
    parts.pinned.labels(**pin).set(1e300)  # no moment of any calendar
    flights, machines = looked(monitor)
    (problem,) = flights["problems"]
    assert problem["text"].startswith("the monitor cannot judge it: ")
    assert problem["text"] in flights["headline"]
    assert machines["problems"] == []
    assert [stage["name"] for stage in machines["stages"]]
    assert fired(places) == [("step_failing:rows job", "firing"), ("unjudged", "firing")]
    assert b"the monitor cannot judge it" in monitor.pages.answer("/")[2]
    parts.pinned.remove(*pin.values())
    looked(monitor)
    assert fired(places)[2:] == [("unjudged", "resolved")]


def test_a_deployed_file_that_does_not_load_is_a_problem_of_the_stack_and_the_others_are_judged(
    places: Places, parts: Parts
) -> None:
    (places.data / "pipelines" / "zz.toml").write_text("name = ")
    monitor = Monitor(places, None, LakeFollower(places, list), Pages())
    assert [pipeline["name"] for pipeline in looked(monitor)] == ["flights"]
    status = json.loads(monitor.pages.answer("/status.json")[2])
    (problem,) = status["problems"]
    assert (problem["code"], status["well"]) == ("file_unreadable:zz", False)
    assert "zz.toml is not taken up: " in problem["text"]
    assert problem["text"] in html.unescape(monitor.pages.answer("/")[2].decode())


def test_a_champion_whose_version_names_no_moment_is_shown_as_it_is(places: Places, parts: Parts) -> None:
    monitor = Monitor(places, None, LakeFollower(places, list), Pages())
    for model in ("flights-20261121T021700Z", "flights-20261199T999999Z"):
        parts.model.clear()
        parts.model.labels(pipeline="flights", model=model).set(1)
        shown = look(places, monitor)
        assert (shown["model"], shown["problems"]) == (model, [])


def test_looks_go_on_while_the_webhook_does_not_answer(places: Places, parts: Parts) -> None:
    with socket.create_server(("127.0.0.1", 0)) as webhook:
        address = f"http://127.0.0.1:{webhook.getsockname()[1]}/"
        places = Places(places.data, {**places.given, "HOTPATH_WEBHOOK": address})
        monitor = Monitor(places, None, LakeFollower(places, list), Pages())
        monitor.start_threads()
        parts.failures.labels(**STEP).set(13)
        look(places, monitor)
        webhook.settimeout(30)
        taken, _ = webhook.accept()
        with taken:
            assert taken.recv(4) == b"POST"
            parts.failures.labels(**STEP).set(0)
            assert problems(look(places, monitor)) == []
            monitor.end()


def test_damaged_files_of_its_own_do_not_stop_it(places: Places, parts: Parts) -> None:
    folder = places.folder
    for path in (folder.restarts, folder.monitor_memory, folder.monitor_alerts, folder.monitor_history):
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"saved_s": "yes"')
    assert problems(look(places)) == []


def number(alert: str) -> float:
    """What the monitor shows as the alert's state."""
    return next(
        sample.value
        for family in metrics.ALERT_STATE.collect()
        for sample in family.samples
        if sample.labels["alert"] == alert
    )


def test_every_alert_is_shown_with_its_state_and_as_a_series_and_a_silence_is_too(places: Places, parts: Parts) -> None:
    monitor = Monitor(places, None, LakeFollower(places, list), Pages())
    parts.failures.labels(**STEP).set(13)
    look(places, monitor)
    assert states(monitor).keys() == ALERTS.keys() | {"origin_auc"}
    assert (states(monitor)["step_failing"], number("step_failing"), number("tables_lag")) == ({"firing"}, 2, 0)
    silence = Silence("step_failing", "ann", time.time(), time.time() + 60)
    write_silences(places.folder.silences, [silence])
    look(places, monitor)
    assert (states(monitor)["step_failing"], number("step_failing")) == ({"silenced"}, 4)
    page = html.unescape(monitor.pages.answer("/")[2].decode())
    assert "silenced by ann until " in page
    assert states(monitor)["f1"] == {"off"}, "it has no floor"


def test_a_test_message_goes_the_way_of_all_messages(places: Places, parts: Parts) -> None:
    monitor = Monitor(places, None, LakeFollower(places, list), Pages())
    ask_for_trial(places.folder.alert_tests, TrialRequest("abc", "disk", "", "ann"))
    (places.folder.alert_tests / "zz.json").write_text('{"id": 5')
    look(places, monitor)
    told = next(each for each in json.loads(monitor.pages.answer("/status.json")[2])["alerts"] if each["id"] == "abc")
    assert (told["state"], told["alert"], told["delivery"]) == ("test", "disk", "shown")
    assert "sent by ann: nothing is wrong" in told["text"]
    assert list(places.folder.alert_tests.iterdir()) == [], "each request is taken once, whether it reads or not"


@pytest.mark.parametrize(("who", "sends"), [("webhook", True), ("both", True), ("grafana", False)])
def test_who_sends_alerts_is_a_setting(places: Places, parts: Parts, who: str, sends: bool) -> None:
    given = {**places.given, "HOTPATH_WEBHOOK": "http://127.0.0.1:9/", "HOTPATH_ALERTS": who}
    monitor = Monitor(Places(places.data, given), None, LakeFollower(places, list), Pages())
    parts.failures.labels(**STEP).set(13)
    look(places, monitor)
    deliveries = {each["delivery"] for each in json.loads(monitor.pages.answer("/status.json")[2])["alerts"]}
    assert deliveries == ({"waiting"} if sends else {"shown"})


def test_an_alert_of_the_file_fires_at_its_own_threshold_also_over_a_counter(places: Places, parts: Parts) -> None:
    file = places.data / "pipelines" / "flights.toml"
    own = '[monitoring.alerts.{}]\nmetric = "{}"\nabove = {}\n'
    waiting = own.format("failed_once", sample_name(metrics.STREAM_FAILURES_IN_A_ROW), 0)
    counted = own.format("many_errors", "hotpath_problems", 3) + 'for = "0s"\n'
    file.write_text(file.read_text() + waiting + counted)
    monitor = Monitor(places, None, LakeFollower(places, list), Pages())
    looked(monitor)
    metrics.PROBLEMS.labels(part="a test").inc(5)
    parts.failures.labels(**STEP).set(1)
    pipeline = look(places, monitor)
    assert states(monitor)["failed_once"] == {"firing"}
    assert states(monitor)["many_errors"] == {"firing"}
    assert [note["code"] for note in pipeline["notes"]] == ["failed_once:step=rows job"]
    assert states(monitor)["step_failing"] == {"ok"}
