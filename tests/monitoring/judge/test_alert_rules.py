"""Which alerts there are: the catalogue, changed by the pipeline files; of the stack's own the strictest settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.alert_catalogue import ALERTS, FIGURE_WORDS, UNDECIDED
from contract.pipeline import AlertSettings, Pipeline
from monitoring.judge.alert_rules import Rule, rules_of, stack_rules
from monitoring.judge.measures import _OF_PIPELINE, _OF_STACK
from tests.monitoring.judge.looks import PIPELINE


def with_alerts(*alerts: AlertSettings, name: str = "flights") -> Pipeline:
    return replace(PIPELINE, name=name, monitoring=replace(PIPELINE.monitoring, alerts=alerts))


def rule(rules: list[Rule], name: str) -> Rule:
    (found,) = (each for each in rules if each.name == name)
    return found


def test_every_alert_of_the_catalogue_is_a_rule_and_every_measure_is_read() -> None:
    names = {each.name for each in (*rules_of(with_alerts()), *stack_rules([with_alerts()]))}
    assert names == ALERTS.keys()
    measures = {alert.measure.name for alert in ALERTS.values()}
    assert measures == _OF_PIPELINE.keys() | _OF_STACK.keys() | FIGURE_WORDS.keys() | {UNDECIDED.name}


def test_thresholds_come_from_the_file_where_it_says_them() -> None:
    rules = rules_of(
        with_alerts(AlertSettings("tables_lag", above=300.0, lasts=timedelta(minutes=1), severity="warning"))
    )
    assert rule(rules, "auc").threshold == 0.6, "[monitoring] floors"
    assert rule(rules, "model_age").threshold == 3600.0, "[monitoring] max_model_age"
    assert rule(rules, "clock_ahead").threshold == 5.0, "[clock] tolerance"
    assert rule(rules, "rows_lag").threshold == 420.0, "two buckets"
    assert rule(rules, "f1").threshold is None
    changed = rule(rules, "tables_lag")
    assert (changed.threshold, changed.lasts, changed.severity) == (300.0, timedelta(minutes=1), "warning")
    assert changed.remedy == ALERTS["tables_lag"].remedy


@pytest.mark.parametrize("order", [1, -1])
def test_the_stacks_own_are_judged_once_by_the_strictest(order: int) -> None:
    mild = AlertSettings("disk", below=1e9, lasts=timedelta(minutes=5), no_data="ok", severity="warning")
    strict = AlertSettings("disk", below=5e9, no_data="firing")
    disk = rule(stack_rules([with_alerts(mild), with_alerts(strict, name="machines")][::order]), "disk")
    assert (disk.threshold, disk.lasts, disk.no_data, disk.severity) == (
        5e9,
        timedelta(seconds=20),
        "firing",
        "critical",
    )
    off = AlertSettings("disk", off=True)
    assert not rule(stack_rules([with_alerts(off), with_alerts(mild, name="machines")][::order]), "disk").is_off
    assert rule(stack_rules([with_alerts(off), with_alerts(off, name="machines")]), "disk").is_off


def test_without_a_pipeline_the_stack_is_judged_all_the_same() -> None:
    assert {each.name for each in stack_rules([])} == {name for name, alert in ALERTS.items() if alert.measure.of_stack}


def test_one_of_the_teams_own_over_a_figure_of_the_stack_is_the_stacks() -> None:
    busy = AlertSettings("busy", "hotpath_host_cpu_ratio", above=0.9)
    busier = AlertSettings("busy", "hotpath_host_cpu_ratio", above=0.95)
    pipelines = [with_alerts(busy), with_alerts(busier, name="machines")]
    assert rule(stack_rules(pipelines), "busy").threshold == 0.9
    assert "busy" not in {each.name for each in rules_of(pipelines[0])}
