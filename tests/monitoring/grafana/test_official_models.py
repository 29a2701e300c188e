"""Dashboards and all that a push sends, decoded strictly by Grafana's own Go models."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from contract.layout import Influx
from monitoring.grafana.grafana_push import push
from tests.monitoring.grafana.recording_grafana import TOKEN, RecordingGrafana
from tests.monitoring.grafana.sent_queries import dashboards

SOURCE: Final = Path(__file__).parent / "official_models"
KINDS: Final = {
    ("POST", "/api/folders"): "CreateFolderCommand",
    ("POST", "/api/datasources"): "AddDataSourceCommand",
    ("PUT", "/api/datasources/uid/hotpath-influxdb"): "UpdateDataSourceCommand",
    ("POST", "/api/dashboards/db"): "SaveDashboardCommand",
    ("PUT", "/api/v1/provisioning/folder/hotpath/rule-groups/hotpath"): "AlertRuleGroup",
}
"""What Grafana's interface takes where."""
Given = tuple[str, Any]
Check = Callable[[Sequence[Given]], list[str]]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """What the models say against things, each with its kind."""
    if shutil.which("go") is None:
        pytest.skip("there is no Go")
    program = tmp_path_factory.mktemp("official") / "check"
    env = os.environ | {"GOFLAGS": "-mod=readonly"}
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=SOURCE, env=env, check=True)

    def check(things: Sequence[Given]) -> list[str]:
        given = json.dumps([{"kind": kind, "body": body} for kind, body in things])
        done = subprocess.run([str(program)], input=given, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    return check


def sent() -> list[Given]:
    """By two pushes: what is made, and what is changed."""
    grafana = RecordingGrafana()
    for _ in range(2):
        with grafana.run() as url:
            list(push(url, TOKEN, Influx("http://influx.example.org:8086", "example", "hotpath", "a token")))
    return [(KINDS[method, path], body) for method, path, body in grafana.got]


@pytest.mark.deep
def test_grafanas_own_models_take_every_dashboard_and_all_that_is_pushed(wrong: Check) -> None:
    things = [*(("Dashboard", made) for made in dashboards().values()), *sent()]
    assert {kind for kind, _ in things} == {"Dashboard", *KINDS.values()}
    assert wrong(things) == []


@pytest.mark.deep
def test_they_refuse_what_is_wrong(wrong: Check) -> None:
    """Or the test above would say nothing."""
    overview = dashboards()["hotpath-overview"]
    (rules,) = [body for kind, body in sent() if kind == "AlertRuleGroup"][:1]
    misspelt, mistyped = copy.deepcopy(overview), copy.deepcopy(overview)
    misspelt["panels"][1]["fieldConfig"]["defaults"]["untit"] = "s"
    mistyped["panels"][1]["gridPos"]["w"] = "wide"
    without_condition, odd_state = copy.deepcopy(rules), copy.deepcopy(rules)
    del without_condition["rules"][0]["condition"]
    odd_state["rules"][0]["noDataState"] = "Maybe"
    things = [
        ("Dashboard", misspelt),
        ("Dashboard", mistyped),
        ("AlertRuleGroup", without_condition),
        ("AlertRuleGroup", odd_state),
        ("AlertRuleGroup", rules | {"colour": "red"}),
    ]
    found = wrong(things)
    assert [line.partition(" ")[0] for line in found] == ["0", "1", "2", "3", "4"], found
    assert "condition" in found[2]
    assert "noDataState" in found[3]
