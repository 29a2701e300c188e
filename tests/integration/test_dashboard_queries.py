"""Every query of dashboards and rules, against a real InfluxDB in which every metric has points, faults included."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.layout import Influx
from monitoring.influx.influx_client import InfluxClient
from tests.integration.influx_server import server
from tests.monitoring.grafana.filled_points import LABELS, MODELS, lines
from tests.monitoring.grafana.sent_queries import Sent, fields_of, of_dashboards, of_rules

pytestmark = pytest.mark.engines
CHOSEN = {
    "pipeline": LABELS["pipeline"],
    "version": MODELS[1:],
    "slice": ("origin", "producing_host"),
    "host": LABELS["host"],
}
"""As a person chooses values; texts with quotes among them."""
ALL = {"slice": CHOSEN["slice"], "host": CHOSEN["host"]}
"""As `All` is sent: pipelines and versions have an expression of their own for it."""


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    folder = tmp_path_factory.mktemp("influx")
    found = server(folder)
    with found.run():
        with InfluxClient(found.influx) as client:
            client.write("\n".join(lines(time.time(), folder / "events.json")).encode())
        yield found.influx


@pytest.fixture(scope="module")
def client(influx: Influx) -> Iterator[InfluxClient]:
    with InfluxClient(influx) as made:
        yield made


def rows(client: InfluxClient, influx: Influx, sent: Sent, values: dict[str, Any]) -> list[dict[str, Any]]:
    return client.query(sent.replaced(influx.bucket, datetime.now(UTC), values))


def test_every_query_gives_rows_with_its_figures(client: InfluxClient, influx: Influx) -> None:
    lacking = []
    for sent in [*of_dashboards(), *of_rules()]:
        for values in (ALL, CHOSEN):
            found = rows(client, influx, sent, values)
            if not found or not all(columns(sent) <= row.keys() for row in found):
                lacking.append((sent.of, found[:1], sent.replaced(influx.bucket, datetime.now(UTC), values)))
    assert lacking == []


def columns(sent: Sent) -> set[str]:
    """The columns that a query's rows must have."""
    if sent.panel is None and not sent.of.startswith("rule "):
        return {"_value"} if "variable" in sent.of else {"time", "text", "tags"}
    if "pivot(" in sent.flux:
        return set(fields_of(sent.flux))
    return {"time", "text"} if "rename(" in sent.flux else {"_measurement", "_field", "_time", "_value"}


def the_one(uid: str, panel: str) -> Sent:
    return next(sent for sent in of_dashboards() if sent.of.startswith(f"{uid}: {panel}: "))


def test_ages_rates_and_sums_are_what_the_points_say(client: InfluxClient, influx: Influx) -> None:
    """Every moment is 30 s before its scrape; an amount grows by 1,000 in 10 s, a counter by 5."""
    age = rows(client, influx, the_one("hotpath-overview", "Mirror behind"), ALL)
    assert {round(row["_value"], 1) for row in age} == {30.0}
    appended = rows(client, influx, the_one("hotpath-platform", "Records that Kafka gets"), ALL)
    assert {row["side"] for row in appended} == {"onprem", "cloud"}
    assert {round(row["_value"]) for row in appended} == {100}
    answers = rows(client, influx, the_one("hotpath-overview", "Answers"), ALL)
    assert {row["_value"] for row in answers} == {1.0}, "0.5 a second of each of two statuses"
    by_status = rows(client, influx, the_one("hotpath-hot-path", "Requests by status"), ALL)
    assert {(row["status"], row["_value"]) for row in by_status} == {("200", 0.5), ("500", 0.5)}


def test_a_variable_narrows_what_is_shown_also_by_text_with_quotes(client: InfluxClient, influx: Influx) -> None:
    clocks = the_one("hotpath-data", "Clocks ahead: smallest delay of each host")
    assert {row["host"] for row in rows(client, influx, clocks, CHOSEN)} == set(LABELS["host"])
    (quoted,) = rows(client, influx, clocks, {**CHOSEN, "host": LABELS["host"][1:]})
    assert quoted["host"] == 'ops "2"'
    assert rows(client, influx, clocks, {**CHOSEN, "pipeline": ("another",)}) == []
    assert rows(client, influx, clocks, {**CHOSEN, "host": ()}) == []


def test_the_first_stage_in_the_table_is_the_first_of_the_flow(client: InfluxClient, influx: Influx) -> None:
    found = rows(client, influx, the_one("hotpath-overview", "Which stage stands"), ALL)
    assert [row["place"] for row in found] == list(range(1, 9))
    assert [found[0]["stage"], found[-1]["stage"]] == ["producers", "outcomes"]


def test_events_are_told_the_newest_first_with_their_words(client: InfluxClient, influx: Influx) -> None:
    found = rows(client, influx, the_one("hotpath-overview", "What happened"), ALL)
    assert {row["kind"] for row in found} == {"switch", "rejection", "pin", "retrain_failure", "loss", "clock_alert"}
    assert [row["time"] for row in found] == sorted((row["time"] for row in found), reverse=True)
    (clock,) = [row for row in found if row["kind"] == "clock_alert"]
    assert (clock["host"], clock["text"]) == ("ops-1", "the clock of ops-1 is 3 h ahead")


def test_the_rules_see_what_fires_and_a_monitor_that_writes(client: InfluxClient, influx: Influx) -> None:
    fires, silent = of_rules()
    found = client.query(fires.replaced(influx.bucket, datetime.now(UTC), {}, hours=120 / 3600))
    assert sorted({(row["alert"], row["pipeline"], row["_value"]) for row in found}) == [
        ("disk", "the stack", 2.0),
        ("pinned", "flights", 2.0),
    ]
    assert client.query(silent.replaced(influx.bucket, datetime.now(UTC), {}, hours=120 / 3600))
    later = datetime.now(UTC) + timedelta(seconds=150)
    assert client.query(silent.replaced(influx.bucket, later, {}, hours=120 / 3600)) == [], "no points: it is silent"


def test_an_alert_of_the_whole_stack_is_shown_for_every_pipeline(client: InfluxClient, influx: Influx) -> None:
    found = rows(client, influx, the_one("hotpath-overview", "Alerts"), {**ALL, "pipeline": ("another",)})
    assert {row["pipeline"] for row in found} == {"the stack"}
