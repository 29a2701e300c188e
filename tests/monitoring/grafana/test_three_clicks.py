"""The ways that docs/operations.md shows are there: from Overview by a panel's link to another panel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from infra.settings import ROOT
from tests.monitoring.grafana.sent_queries import dashboards, panels

DASHBOARDS = dashboards()


@dataclass(frozen=True)
class Way:
    """A row of the table: what is asked, and the names in its other cells."""

    asked: str
    panel: list[str]
    link: list[str]
    there: list[str]


def ways() -> list[Way]:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("| you ask | look at the panel |")[2].partition("\n\n")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()[2:]]
    return [Way(row[0], *(re.findall(r"`([^`]+)`", cell) for cell in row[1:])) for row in rows]


def panel(dashboard: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = [each for each in panels(dashboard) if each["title"] == title]
    return found


@pytest.mark.parametrize("way", ways(), ids=lambda way: way.asked)
def test_a_panels_link_leads_where_the_page_says(way: Way) -> None:
    links = panel(DASHBOARDS["hotpath-overview"], way.panel[0])["links"]
    (url,) = [link["url"] for link in links if link["title"] == way.link[0]]
    (uid, number) = re.findall(r"^/d/([^/]+)/.*viewPanel=(\d+)$", url)[0]
    title, first, *others = way.there
    assert DASHBOARDS[uid]["title"] == title
    assert panel(DASHBOARDS[uid], first)["id"] == int(number)
    assert all(panel(DASHBOARDS[uid], each) for each in others)


def test_the_three_questions_are_answered() -> None:
    assert [way.asked for way in ways()] == [
        "which host's clock is wrong?",
        "which stage stands?",
        "why was the last candidate refused?",
    ]


def test_every_dashboard_is_reached_from_overview_by_a_link() -> None:
    links = [link["url"] for each in panels(DASHBOARDS["hotpath-overview"]) for link in each["links"]]
    reached = {re.findall(r"^/d/([^/]+)/", url)[0] for url in links}
    assert reached == DASHBOARDS.keys() - {"hotpath-overview"}
