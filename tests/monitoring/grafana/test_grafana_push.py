"""`hotpath grafana push`: what it sends, that it may be done again, and what it says when it cannot be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.alerting import RuleGroup
from grafana_foundation_sdk.models.dashboard import Dashboard

from contract.layout import Influx
from infra.settings import ROOT
from monitoring.grafana import panel_builders
from monitoring.grafana.grafana_push import CHANGEABLE, DATA_SOURCE_UID, GrafanaError, push
from monitoring.grafana.write_files import FOLDER
from tests.monitoring.grafana.recording_grafana import TOKEN, RecordingGrafana
from tests.monitoring.grafana.sent_queries import dashboards, panels

INFLUX = Influx("http://influx.example.org:8086", "example", "hotpath", "a token")


def pushed(grafana: RecordingGrafana, token: str = TOKEN, influx: Influx = INFLUX) -> list[str]:
    with grafana.run() as url:
        return list(push(url, token, influx))


@pytest.mark.parametrize("prefix", ["", "/grafana"])
def test_everything_is_there_after_a_push_and_the_same_after_another(prefix: str) -> None:
    grafana = RecordingGrafana(prefix)
    first = pushed(grafana)
    once = json.dumps(grafana.things).replace('"version": 1', "")
    second = pushed(grafana)
    assert json.dumps(grafana.things).replace('"version": 2', "") == once
    assert (first[1], second[1]) == ("folder hotpath: made", "folder hotpath: is there")
    assert (first[2], second[2]) == ("data source hotpath-influxdb: made", "data source hotpath-influxdb: updated")
    assert [line.partition(":")[0] for line in first[3:]] == [
        *(f"dashboard {uid}" for uid in dashboards()),
        "alert rules",
    ]
    assert first[0].startswith("Grafana 12.2.0 at http://127.0.0.1:")


def test_the_dashboards_lie_in_the_folder_and_ask_the_data_source_that_was_pushed() -> None:
    grafana = RecordingGrafana()
    pushed(grafana)
    (source,) = [body for _, path, body in grafana.got if path == "/api/datasources"]
    assert source["jsonData"] == {"version": "Flux", "organization": "example", "defaultBucket": "hotpath"}
    assert source["secureJsonData"] == {"token": "a token"}
    sent = [body for _, path, body in grafana.got if path == "/api/dashboards/db"]
    assert [body["dashboard"]["uid"] for body in sent] == list(dashboards())
    assert {(body["folderUid"], body["overwrite"]) for body in sent} == {("hotpath", True)}
    assert {
        panel["datasource"]["uid"] for body in sent for panel in body["dashboard"]["panels"] if "targets" in panel
    } == {source["uid"]}


def test_what_is_sent_is_what_the_official_models_read_and_write() -> None:
    register_default_plugins()
    grafana = RecordingGrafana()
    pushed(grafana)
    for _, path, body in grafana.got:
        if path == "/api/dashboards/db":
            made = Dashboard.from_json(body["dashboard"])
            assert json.loads(json.dumps(made, cls=JSONEncoder)) == body["dashboard"]
        if "/rule-groups/" in path:
            assert json.loads(json.dumps(RuleGroup.from_json(body), cls=JSONEncoder)) == body


def test_rules_may_be_changed_in_grafana_afterwards() -> None:
    grafana = RecordingGrafana()
    pushed(grafana)
    (name, value) = next(iter(CHANGEABLE.items()))
    assert grafana.got[-1][1] == "/api/v1/provisioning/folder/hotpath/rule-groups/hotpath"
    assert grafana.headers[-1][name] == value


@pytest.mark.parametrize(
    ("grafana", "told"),
    [
        (RecordingGrafana(health=(200, "<html>a login page</html>")), "speaks no JSON, so .*HOTPATH_GRAFANA_URL"),
        (RecordingGrafana(health=(200, '{"status": "pass"}')), "is no Grafana; look at HOTPATH_GRAFANA_URL"),
        (RecordingGrafana(health=(503, '{"database": "failing"}')), "refuses to tell how it is .*503"),
        (RecordingGrafana(health=(200, '{"database": "failing"}')), "is not well: its database is 'failing'"),
        (RecordingGrafana(refuses={"/api/folders/hotpath": 403}), "does not let the token read folders; .* role Admin"),
        (RecordingGrafana(refuses={"/api/datasources": 403}), "does not let the token write data sources"),
        (RecordingGrafana(refuses={"/api/dashboards/db": 412}), "refuses to write dashboards .*412.*for this test"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_in_words(grafana: RecordingGrafana, told: str) -> None:
    with pytest.raises(GrafanaError, match=told):
        pushed(grafana)


def test_a_wrong_token_and_a_grafana_that_is_away_are_told_in_words() -> None:
    with pytest.raises(GrafanaError, match="does not know the token; set HOTPATH_GRAFANA_TOKEN"):
        pushed(RecordingGrafana(), token="wrong")
    with RecordingGrafana().run() as url:
        pass
    with pytest.raises(GrafanaError, match=rf"Grafana at {url} does not answer \(ConnectionError"):
        list(push(url, TOKEN, INFLUX))


def test_an_influxdb_that_only_this_host_reaches_is_told() -> None:
    here = replace(INFLUX, url="http://127.0.0.1:8086")
    assert not any("must reach" in line for line in pushed(RecordingGrafana(), influx=here)), "both are here"
    lines = push("http://grafana.example.invalid", TOKEN, here)
    with pytest.raises(GrafanaError, match="does not answer"):
        next(lines)


def test_the_provisioned_rules_are_the_pushed_ones() -> None:
    """In files for provisioning `$` begins a variable, and `$$` is a `$`."""
    files = json.loads((FOLDER / "provisioning/alerting/hotpath.json").read_text("utf-8").replace("$$", "$"))
    (group,) = files["groups"]
    pushed_rules = json.loads((FOLDER / "alert_rules.json").read_text("utf-8"))["rules"]
    of_the_group = {"folderUID": "hotpath", "orgID": 1, "ruleGroup": "hotpath"}
    assert [rule | of_the_group for rule in group["rules"]] == pushed_rules


def command(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTPATH_")}
    env = kept | {"HOTPATH_DATA": str(folder), "PATH": "/usr/bin:/bin"} | given
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", "grafana", "push"], cwd=ROOT, env=env, capture_output=True, text=True
    )


def test_the_command_needs_grafana_and_influxdb_and_tells_each_step(tmp_path: Path) -> None:
    lacking = command(tmp_path)
    assert (lacking.returncode, "HOTPATH_GRAFANA_URL and HOTPATH_GRAFANA_TOKEN" in lacking.stderr) == (2, True)
    with RecordingGrafana().run() as url:
        named = {"HOTPATH_GRAFANA_URL": url, "HOTPATH_GRAFANA_TOKEN": TOKEN}
        without = command(tmp_path, **named)
        assert (without.returncode, "HOTPATH_INFLUX_URL" in without.stderr) == (2, True)
        influx = {
            "HOTPATH_INFLUX_URL": INFLUX.url,
            "HOTPATH_INFLUX_ORG": INFLUX.org,
            "HOTPATH_INFLUX_BUCKET": INFLUX.bucket,
            "HOTPATH_INFLUX_TOKEN": INFLUX.token,
        }
        done = command(tmp_path, **named, **influx)
        assert (done.returncode, done.stdout.count("\n")) == (0, 10), done.stderr
        refused = command(tmp_path, **{**named, "HOTPATH_GRAFANA_TOKEN": "wrong"}, **influx)
        assert (refused.returncode, "does not know the token" in refused.stderr) == (1, True)


def test_the_provisioned_data_source_is_the_one_that_every_query_asks() -> None:
    text = (FOLDER / "provisioning/datasources/hotpath.yaml").read_text("utf-8")
    assert f"uid: {DATA_SOURCE_UID}\n" in text
    assert {f"$__env{{{name}}}" in text for name in ("INFLUX_URL", "INFLUX_ORG", "INFLUX_BUCKET")} == {True}
    asked = {
        target["datasource"]["uid"]
        for each in dashboards().values()
        for panel in panels(each)
        for target in panel["targets"]
    }
    assert asked == {DATA_SOURCE_UID, panel_builders.DATA_SOURCE_UID}
