"""What explains an alert of the model: the levels, hosts and features behind it."""

from __future__ import annotations

from monitoring.alerts.alert_entry import Entry
from monitoring.alerts.alert_explanations import explanations
from monitoring.judge.alert_rules import Rule, rules_of
from monitoring.judge.model_health import OfLevel, Realised
from tests.monitoring.alerts.turns import NOW_S
from tests.monitoring.judge.looks import PIPELINE
from training.evaluation.confidence_intervals import Interval


def level(name: str, auc: float, half: float = 0.02) -> OfLevel:
    figures = {each: Interval(auc, auc - half, auc + half) for each in ("auc", "log_loss")}
    return OfLevel("origin", name, Realised(0, 60, auc, 0.4, 200, 50, "m", figures))


def rule(name: str) -> Rule:
    return next(each for each in rules_of(PIPELINE) if each.name == name)


def firing(alert: str, text: str) -> Entry:
    return Entry("flights", alert, "x", "firing", NOW_S, text=text)


def test_levels_that_are_surely_below_the_floor_are_named_the_worst_first_then_hosts_and_features() -> None:
    found = explanations(
        rule("auc"),
        [level("LGA", 0.7), level("JFK", 0.55), level("EWR", 0.5), level("few", 0.58, half=0.3)],
        [firing("clock_ahead", "the clock of a is ahead"), firing("tables_lag", "no"), firing("drift", "wind drifts")],
    )
    assert found == [
        "origin=EWR: 0.500 (0.480 to 0.520) over 200 outcomes",
        "origin=JFK: 0.550 (0.530 to 0.570) over 200 outcomes",
        "the clock of a is ahead",
        "wind drifts",
    ]


def test_where_no_level_is_surely_below_the_worst_one_is_named() -> None:
    found = explanations(rule("auc"), [level("LGA", 0.7), level("JFK", 0.65)], [])
    assert [line.partition(":")[0] for line in found] == ["origin=JFK"]


def test_who_holds_a_version_by_hand_is_named_before_hosts_and_explains_figures_alone() -> None:
    entries = [firing("drift", "wind drifts"), firing("pinned", "flights-1 is pinned by ann")]
    assert explanations(rule("auc"), [], entries) == ["flights-1 is pinned by ann", "wind drifts"]
    assert explanations(rule("quarantined"), [], entries) == ["wind drifts"]


def test_quarantined_questions_are_explained_by_hosts_and_others_by_nothing() -> None:
    clock = firing("clock_ahead", "the clock of a is ahead")
    assert explanations(rule("quarantined"), [level("LGA", 0.1)], [clock]) == ["the clock of a is ahead"]
    assert explanations(rule("tables_lag"), [level("LGA", 0.1)], [clock]) == []
