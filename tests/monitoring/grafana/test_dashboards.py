"""The committed dashboards: current, whole, and each figure in the unit that its declaration gives it."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

import contract.metrics  # noqa: F401  declares every metric
from contract.measurements import EVENTS, MEASUREMENTS
from contract.metric_types import DECLARED
from monitoring.grafana.all_dashboards import SPECS
from monitoring.grafana.panel_builders import slug
from monitoring.grafana.panel_specs import PanelSpec
from monitoring.grafana.write_files import files
from tests.monitoring.grafana.sent_queries import (
    Sent,
    dashboards,
    fields_of,
    measurement_of,
    of_dashboards,
    panels,
)

DASHBOARDS = dashboards()
PANELS = [(uid, panel) for uid, dashboard in DASHBOARDS.items() for panel in panels(dashboard)]
NOT_SHOWN = {
    "hotpath_streaming_imported_seconds",  # it tells the monitor whether an import still goes on
    "hotpath_mirror_import_news_seconds",  # the same
    "hotpath_rollout_rejected_since_seconds",  # an event tells it, with its reason
}
"""What no dashboard shows, and why."""


def test_the_committed_files_are_those_that_the_code_makes() -> None:
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python -m monitoring.grafana.write_files"


def test_there_are_six_and_each_is_what_its_official_model_reads_and_writes() -> None:
    """A field that the model does not know would be lost on the way."""
    register_default_plugins()
    assert len(DASHBOARDS) == 6
    for uid, dashboard in DASHBOARDS.items():
        again = json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))
        assert again == dashboard, uid


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=lambda each: each if isinstance(each, str) else each["title"])
def test_every_panel_says_what_it_is_and_leads_on(uid: str, panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert len(panel["description"]) > 10
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0]["color"]
    assert panel["links"], "a link to where its cause is seen"
    for link in panel["links"]:
        other = DASHBOARDS[found_dashboard(link["url"])]
        assert link["url"].startswith(f"/d/{other['uid']}/{slug(other['title'])}?${{__url_time_range}}")
        shown = re.search(r"viewPanel=(\d+)", link["url"])
        assert shown is None or int(shown[1]) in {each["id"] for each in panels(other)}


def found_dashboard(url: str) -> str:
    (uid,) = re.findall(r"^/d/([^/]+)/", url)
    return str(uid)


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_panels_have_ids_of_their_own_and_do_not_overlap(uid: str) -> None:
    every = DASHBOARDS[uid]["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    assert len({panel["title"] for panel in every}) == len(every)
    for one, other in combinations([panel["gridPos"] for panel in every], 2):
        assert one["x"] + one["w"] <= 24
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_variable_that_a_query_uses_is_there_and_every_one_that_is_there_is_used(uid: str) -> None:
    there = {variable["name"] for variable in DASHBOARDS[uid]["templating"]["list"]}
    queries = [sent.flux for sent in of_dashboards() if sent.of.startswith(f"{uid}: ")]
    assert {name for flux in queries for name in re.findall(r"\$\{(\w+):", flux)} == there


def test_there_are_variables_for_pipeline_version_slice_and_host() -> None:
    found = {variable["name"] for each in DASHBOARDS.values() for variable in each["templating"]["list"]}
    assert found == {"pipeline", "version", "slice", "host"}


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_kind_of_event_is_an_annotation(uid: str) -> None:
    kinds = re.findall(r'r\.kind == "(\w+)"', json.dumps(DASHBOARDS[uid]["annotations"]).replace('\\"', '"'))
    assert sorted(kinds) == ["clock_alert", "loss", "pin", "rejection", "retrain_failure", "switch"]
    assert all(kind in EVENTS.meaning for kind in kinds)


def declared_unit(measurement: str, field: str) -> str:
    """As the declaration has it; a counter's `per_second` is so much a second."""
    for each in DECLARED:
        if each.name == measurement:
            return f"{each.unit}/s" if field == "per_second" else each.unit
    (of_points,) = (each for each in MEASUREMENTS if each.name == measurement)
    return of_points.fields[field]


def shown_as(unit: str) -> set[str]:
    """What Grafana may call it."""
    known = {
        "s": {"s"},
        "s/s": {"suffix:cores"},
        "bytes": {"bytes"},
        "bytes/s": {"binBps"},
        "0 to 1": {"none", "percentunit"},
        "text": {"string"},
    }
    plain = {"1", "1 or 0", "-1 to 1", "0 to 4"}
    return known.get(unit) or ({"none"} if unit in plain else {f"suffix:{unit}"})


def unit_of_rows(sent: Sent, field: str) -> str:
    """What becomes of a declared unit in a query: a moment is told as an age, an amount that grows as a rate."""
    unit = declared_unit(measurement_of(sent.flux), field)
    if "- r._value" in sent.flux:
        assert unit == "s since 1970"
        return "s"
    return f"{unit}/s" if "derivative(unit: 1s" in sent.flux else unit


@pytest.mark.parametrize("sent", [each for each in of_dashboards() if each.panel], ids=lambda sent: sent.of)
def test_the_unit_of_a_panel_is_the_declared_one_of_what_its_queries_give(sent: Sent) -> None:
    assert sent.panel is not None
    config = sent.panel["fieldConfig"]
    fields = fields_of(sent.flux)
    if sent.panel["type"] not in ("table", "xychart"):
        (field,) = fields
        assert config["defaults"]["unit"] in shown_as(unit_of_rows(sent, field))
        return
    overrides = {
        each["matcher"]["options"]: {value["id"]: value["value"] for value in each["properties"]}
        for each in config["overrides"]
    }
    for field in fields:
        assert overrides[field]["unit"] in shown_as(unit_of_rows(sent, field)), field


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {measurement_of(sent.flux) for sent in of_dashboards() if sent.panel}
    declared = {each.name for each in DECLARED} | {each.name for each in MEASUREMENTS}
    assert declared - shown == NOT_SHOWN


def test_a_panel_of_several_units_is_refused() -> None:
    mixed = [query for panel in SPECS["hotpath-platform"].panels[:4] for query in panel.queries]
    with pytest.raises(ValueError, match="several units"):
        _ = PanelSpec("Mixed", "For this test.", tuple(mixed)).unit
