"""What the hot address answers, and how a scorer leaves it: real socket manager, real scorers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial

import pytest

from contract.process_end import GIVEN_UP
from tests.serving.load import load
from tests.serving.scoring_host import PREDICT, ScoringHost
from tests.waiting import until


@pytest.fixture(scope="module")
def host() -> Iterator[ScoringHost]:
    with ScoringHost() as host:
        host.manager()
        yield host


def test_the_hot_address_answers_predict_model_and_health_and_nothing_else_until_it_drains(host: ScoringHost) -> None:
    blue, green = host.launch("blue"), host.launch("green")
    host.reaches({"blue": "standby", "green": "standby"})
    assert host.switch("blue")["ok"]

    assert blue.ask(hot=True).status_code == 200
    allowed = ("/v1/pipelines/p/model", "/health/live", "/health/ready")
    assert {blue.get(path, hot=True).status_code for path in allowed} == {200}
    hidden = ("/docs", "/openapi.json", "/metrics", "/state", "/", "/scorers")
    assert {blue.get(path, hot=True).status_code for path in hidden} == {404}

    # the header of golden requests means nothing here: no key, no answer; and it is traffic like any other
    golden = {"hotpath-golden": "1"}
    assert blue.hot.post(PREDICT, content=b"{}", headers=golden).status_code == 401
    before = blue.metrics()["hotpath_scorer_requests_total{status=200}"]
    assert blue.ask(hot=True, headers=golden).status_code == 200
    assert blue.metrics()["hotpath_scorer_requests_total{status=200}"] == before + 1

    assert host.switch("green")["ok"]
    until(lambda: blue.own.get("/state").json()["state"] == "draining", 20, "blue drains", 0.02)
    last = blue.ask(hot=True)  # on the connection that blue had accepted
    assert (last.status_code, last.headers["connection"]) == (200, "close")
    assert last.json()["prediction_id"]
    unready = blue.own.get("/health/ready")
    assert (unready.status_code, unready.json()["type"]) == (503, "urn:hotpath:problem:draining")
    assert blue.process.wait(30) == 0, "a drained scorer leaves by itself, predictions flushed or counted"

    green.process.send_signal(signal.SIGTERM)
    assert green.process.wait(30) == 0


def test_a_scorer_that_has_lost_a_part_drains_exits_with_70_and_no_request_fails(host: ScoringHost) -> None:
    parts = ("keys", "prediction-log")
    doomed = {part: host.launch(f"without-{part}", failing=part) for part in parts}
    whole = host.launch("whole")
    host.reaches({"without-keys": "standby", "without-prediction-log": "standby", "whole": "standby"})
    assert host.switch("without-keys")["ok"]
    with load(host.port, "/health/live") as clients:
        for part, following in zip(parts, ("without-prediction-log", "whole"), strict=True):
            clients.more(50)
            host.fail(part)
            lost = f"without-{part}"
            host.waits(partial(host.has_left, lost), f"{lost} leaves the socket manager")
            assert host.switch(following)["ok"]
            assert doomed[part].process.wait(30) == GIVEN_UP
        clients.more(50)
    assert not clients.failed
    whole.process.terminate()
    assert whole.process.wait(30) == 0
    said = host.said(100_000)
    assert "the task keys ended by RuntimeError: made to fail" in said
    assert "the thread prediction-log ended by RuntimeError: made to fail" in said
    assert said.count("most recent call first") >= 2, "the stacks of all threads are in the log"


@pytest.mark.parametrize(
    ("arguments", "env", "remedy"),
    [
        (["--pipeline", "q"], {}, "q.toml"),
        (["--pipeline", "p"], {"HOTPATH_RATE": "fast"}, "HOTPATH_RATE"),
        (["--pipeline", "p", "--bundle", "/nowhere"], {}, "/nowhere"),
        (["--pipeline", "p"], {"HOTPATH_SCORER_P": "8080"}, "127.0.0.1:8080"),
    ],
)
def test_a_scorer_that_cannot_serve_says_why_in_one_line(
    host: ScoringHost, arguments: list[str], env: dict[str, str], remedy: str
) -> None:
    process = host.start("-m", "serving.scorer", "--name", "broken", *arguments, env=env)
    assert process.wait(30) == 1
    last = host.said().splitlines()[-1]
    assert remedy in last
    assert " ERROR " in last
