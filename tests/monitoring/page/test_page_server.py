"""The status page, from a view as the monitor builds it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from contract.metric_types import sample_name
from contract.metrics import TRAINING_AUC
from monitoring.alerts.alert_book import Told
from monitoring.alerts.alert_messages import Message
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.judge.alert_rules import rules_of
from monitoring.judge.model_health import by_minute, by_model
from monitoring.judge.stage import StageInputs
from monitoring.judge.stages import stages
from monitoring.judge.trust_inputs import TrustInputs
from monitoring.page.page_server import STALE_S, Pages, serve_page
from monitoring.page.view import PipelineView, View, with_alerts
from streaming.pipeline_file.load import load
from tests.monitoring.judge.looks import bad
from tests.monitoring.plain_outcomes import Outcome, collected

PIPELINE = load(Path(__file__).parents[3] / "examples/flights/pipeline.toml")
NOW = 1_795_252_000.0


FLIGHTS_MODEL = "flights-20261121T120000Z"


def a_view(silent: dict[str, str] | None = None, model: str | None = FLIGHTS_MODEL, has_vanished: bool = False) -> View:
    """An hour of a model that gets worse, as the monitor would show it."""
    outcomes = [
        Outcome(
            f"flights-{minute // 12}",
            NOW - 3600 + 60 * minute + n % 60,
            0.5 + (0.4 - minute / 200) * (n % 3 - 1),
            n % 3 == 2,
        )
        for minute in range(60)
        for n in range(100)
    ]
    now = Snapshot(NOW, (Sample("trainer", sample_name(TRAINING_AUC), {"pipeline": "flights"}, 0.81),), silent or {})
    realised = by_minute(collected(outcomes))
    seen = TrustInputs(model, 900.0, realised[-1], {"ops-1": 0.2})
    look = StageInputs(PIPELINE, None, now, seen=seen, has_vanished=has_vanished)
    view = PipelineView(
        PIPELINE,
        seen,
        stages(look),
        realised,
        by_model(collected(outcomes)),
        by_model(collected(outcomes[-2000:])),
        [(NOW - 1800, "flights-2")],
        [(NOW - 60 * n, 600.0 + 60 * (60 - n) % 900) for n in range(60, 0, -1)],
    )
    entries = bad(look)
    own = [entry for entry in entries if entry.pipeline]
    of_stack = [entry for entry in entries if not entry.pipeline]
    resolved = Message(
        "flights", "no_model", "resolved", "no model has been <admitted> yet", "2026-11-21T12:00:00.000Z"
    )
    return View(NOW, [with_alerts(view, rules_of(PIPELINE), own, of_stack)], [Told(resolved, "sent")])


def showing(view: View) -> Pages:
    """As they are asked at the moment of the view."""
    pages = Pages(clock=lambda: view.time_s)
    pages.show(view)
    return pages


@pytest.fixture
def page() -> Iterator[str]:
    server = serve_page(("127.0.0.1", 0), showing(a_view()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_first_line_says_whether_to_trust_and_the_picture_shows_every_stage(page: str) -> None:
    text = httpx.get(page).text
    assert "the model can be trusted now" in text
    places = [text.index(f"<strong>{name}</strong>") for name in ("producers", "mirror", "events", "rows", "training")]
    assert places == sorted(places)


def test_every_problem_is_told_with_its_command_those_of_the_whole_pipeline_first() -> None:
    view = a_view(silent={"trainer": "refused", "streaming": "refused"}, has_vanished=True)
    text = showing(view).answer("/")[2].decode()
    told = ["the deployed file has vanished", "streaming does not answer: refused", "trainer does not answer: refused"]
    places = [text.index(each) for each in told]
    assert places == sorted(places)
    assert "<code>./hotpath logs trainer</code>" in text
    assert view.as_json()["well"] is False


def test_the_headline_is_green_only_while_all_is_known_and_well() -> None:
    few = replace(a_view().pipelines[0], seen=TrustInputs("flights-20261121T120000Z", 900.0, None, {}))
    without_outcomes = replace(a_view(), pipelines=[few])
    for view, css, verdict in (
        (a_view(), "well", "trusted"),
        (a_view(model=None), "ill", "not_trusted"),
        (a_view(silent={"trainer": "refused"}), "unknown", "not_known"),
        (without_outcomes, "unknown", "not_known"),
    ):
        assert f'<p class="headline {css}">' in showing(view).answer("/")[2].decode()
        assert view.as_json()["pipelines"][0]["verdict"] == verdict
    assert without_outcomes.as_json()["well"] is True, "a model that is new is no trouble"


def test_words_from_outside_are_escaped(page: str) -> None:
    assert "&lt;admitted&gt;" in httpx.get(page).text


def test_the_json_says_the_same(page: str) -> None:
    status = httpx.get(f"{page}/status.json").json()
    assert status["well"] is True
    assert status["pipelines"][0]["trusted"] is True
    json.dumps(status, allow_nan=False)


def test_before_the_first_look_and_once_it_is_stale_there_is_no_view() -> None:
    now_s = [NOW]
    pages = Pages(clock=lambda: now_s[0])
    assert pages.answer("/status.json")[0] == 503
    pages.show(a_view())
    assert pages.answer("/view")[0] == 200
    now_s[0] += STALE_S + 1
    assert pages.answer("/view")[0] == 503, "the page says above it that it is old"
    assert pages.answer("/status.json")[0] == 200, "it names its moment"


def test_an_unknown_path_names_the_known_ones(page: str) -> None:
    answer = httpx.get(f"{page}/nothing")
    assert answer.status_code == 404
    assert "/status.json" in answer.text


def test_what_is_broken_first_in_the_flow_is_named_with_its_command() -> None:
    view = a_view(silent={"trainer": "refused", "streaming": "refused"}).pipelines[0]
    assert view.first_broken is not None
    assert (view.first_broken.name, view.first_broken.command) == ("events", "./hotpath logs streaming")


def test_a_model_that_is_not_to_be_trusted_makes_the_status_unwell() -> None:
    told = a_view(model=None).as_json()
    assert told["well"] is False
    assert [reason["code"] for reason in told["pipelines"][0]["reasons"]] == ["no_model"]


def test_a_silent_part_makes_the_status_unwell() -> None:
    assert a_view(silent={"trainer": "refused"}).as_json()["well"] is False
