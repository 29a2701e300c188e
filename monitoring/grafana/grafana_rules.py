"""Two rules for Grafana: an alert of hotpath's own fires, and the monitor is silent.

The monitor alone judges; the first rule tells on what it says. The second is what the monitor cannot say of itself.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from grafana_foundation_sdk.builders import alerting as builders
from grafana_foundation_sdk.builders import expr
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import alerting, common

from contract import metrics
from monitoring.grafana.figures import Figure, gauge
from monitoring.grafana.flux_queries import Series
from monitoring.grafana.overview_dashboard import ALERT_STATES, OVERVIEW_DASHBOARD, STATES_OF_ALERTS
from monitoring.grafana.panel_builders import DATA_SOURCE_UID, FluxQuery, FluxTarget

FOLDER: Final = "hotpath"
"""The folder of dashboards and rules: its title, and its uid where hotpath makes it."""
GROUP: Final = "hotpath"
EVERY_S: Final = 30
SILENT_S: Final = 120
FIRING: Final = 2
"""What `hotpath_alert_state` is of an alert that fires."""
ALWAYS_WRITTEN: Final[Figure] = gauge(metrics.INFLUX_SPOOL_BYTES)
"""The monitor writes it as long as it runs."""
EXPRESSIONS: Final = common.DataSourceRef(type_val="__expr__", uid="__expr__")


def rule_group() -> alerting.RuleGroup:
    """As Grafana's interface for provisioning takes it."""
    return builders.RuleGroup(GROUP).folder_uid(FOLDER).interval(EVERY_S).rules([_fires(), _silent()]).build()


def provisioned() -> dict[str, Any]:
    """The same as a file for provisioning, in which `$` begins a variable of the environment and `$$` is a `$`."""
    text = json.dumps(rule_group().rules, cls=JSONEncoder).replace("$", "$$")
    rules = [{name: rule[name] for name in rule if name not in NOT_IN_FILES} for rule in json.loads(text)]
    group = {"orgId": 1, "name": GROUP, "folder": FOLDER, "interval": f"{EVERY_S}s", "rules": rules}
    return {"apiVersion": 1, "groups": [group]}


NOT_IN_FILES: Final = ("folderUID", "orgID", "ruleGroup")
"""What a file for provisioning says of the whole group."""


def _fires() -> builders.Rule:
    """Each alert of each pipeline is an instance of its own, with the labels pipeline, alert and severity."""
    return (
        _rule("hotpath-alert-fires", "An alert of hotpath fires", STATES_OF_ALERTS, "last", FIRING - 0.5, FIRING + 0.5)
        .no_data_state("OK")
        .annotations(
            {
                "summary": "{{ $labels.alert }} of {{ $labels.pipeline }} fires ({{ $labels.severity }})",
                "description": "hotpath says what, since when and what to do: its status page, or `hotpath status`.",
                "__dashboardUid__": OVERVIEW_DASHBOARD.uid,
                "__panelId__": str(OVERVIEW_DASHBOARD.panel_id(ALERT_STATES.title)),
            }
        )
    )


def _silent() -> builders.Rule:
    """Without a point there is no series to count: that is the alert."""
    points = Series(ALWAYS_WRITTEN, within="last", across="max")
    return (
        _rule("hotpath-monitor-silent", "hotpath's monitor is silent", points, "count", -0.5, 0.5)
        .no_data_state("Alerting")
        .annotations(
            {
                "summary": f"InfluxDB has had no point of hotpath's monitor for {SILENT_S} s",
                "description": "Nobody judges the models meanwhile: `hotpath logs monitor`. Or InfluxDB is away.",
                "__dashboardUid__": OVERVIEW_DASHBOARD.uid,
                "__panelId__": "1",
            }
        )
        .labels({"service": "hotpath", "severity": "critical"})
    )


def _rule(
    uid: str, title: str, series: Series, reducer: Literal["last", "count"], above: float, below: float
) -> builders.Rule:
    """What the series of the last `SILENT_S` come to, by the reducer, lies between two values."""
    return (
        builders.Rule(title)
        .uid(uid)
        .org_id(1)
        .folder_uid(FOLDER)
        .rule_group(GROUP)
        .for_val("0s")
        .exec_err_state("Error")
        .labels({"service": "hotpath"})
        .condition("C")
        .queries([_asked(series), _reduced(reducer), _between(above, below)])
    )


def _asked(series: Series) -> builders.Query:
    model = FluxTarget(FluxQuery("A", series.flux(())))
    return _query("A").datasource_uid(DATA_SOURCE_UID).model(model)


def _reduced(reducer: Literal["last", "count"]) -> builders.Query:
    model = expr.TypeReduce().ref_id("B").datasource(EXPRESSIONS).expression("A").reducer(reducer)
    return _query("B").datasource_uid("__expr__").model(model)


def _between(above: float, below: float) -> builders.Query:
    evaluator = expr.ExprTypeThresholdConditionsEvaluator().type("within_range").params([above, below])
    condition = expr.ExprTypeThresholdConditions().evaluator(evaluator)
    model = expr.TypeThreshold().ref_id("C").datasource(EXPRESSIONS).expression("B").conditions([condition])
    return _query("C").datasource_uid("__expr__").model(model)


def _query(ref_id: str) -> builders.Query:
    return builders.Query(ref_id).relative_time_range(alerting.RelativeTimeRange(SILENT_S, 0))
