"""A figure that cannot be judged for hours is told, with how many outcomes are missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.alerts.alert_entry import Entry
from monitoring.alerts.causes import causes_of
from monitoring.judge.alert_rules import Judged, rules_of
from monitoring.judge.measures import judge_pipeline
from monitoring.judge.model_health import Realised
from monitoring.judge.outcome_follower import Found
from monitoring.judge.stage import StageInputs
from monitoring.judge.trust_inputs import TrustInputs
from tests.monitoring.judge.looks import PIPELINE, Looks
from training.evaluation.confidence_intervals import Interval

FLOORED = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, floors={"auc": 0.7}, alerts=()))
HOUR_S = 3600.0


def realised(low: float, high: float, positives: int = 100) -> Realised:
    value = (low + high) / 2
    return Realised(0, 60, value, 0.4, 1000, positives, "m", {"auc": Interval(value, low, high)})


def undecided(looks: Looks, figures: Realised | None, **changed: object) -> list[Judged]:
    look = StageInputs(
        FLOORED, None, looks.snapshot(), stillness=looks.stillness, seen=TrustInputs("m", 1.0, figures, {})
    )
    look = replace(look, **changed)  # type: ignore[arg-type]
    found = judge_pipeline(rules_of(look.pipeline), look)
    looks.stillness.end_look()
    return [each for each in found if each.rule.name == "undecided"]


def finding(looks: Looks, figures: Realised | None, hours: float = 0.0) -> str:
    looks.now_s += hours * HOUR_S
    (found,) = undecided(looks, figures)
    return found.finding


def text(figures: Realised | None, found: Found | None = None) -> str:
    (each,) = undecided(Looks(), figures, found=found or Found())
    assert each.reading is not None
    return each.reading.text


@pytest.mark.parametrize("figures", [realised(0.6, 0.75), realised(0.5, 0.6, positives=29), None])
def test_it_is_told_after_six_hours_in_which_the_floor_was_not_judged(figures: Realised | None) -> None:
    looks = Looks()
    assert finding(looks, figures) == "good"
    assert finding(looks, figures, hours=5.9) == "good"
    assert finding(looks, figures, hours=0.2) == "bad"
    assert finding(looks, realised(0.71, 0.8)) == "good"
    assert finding(looks, figures, hours=5.9) == "good", "it was judged meanwhile"


def test_a_figure_that_is_judged_either_way_is_decided() -> None:
    looks = Looks()
    assert [finding(looks, each, hours=7) for each in (realised(0.1, 0.2), realised(0.8, 0.9))] == ["good", "good"]


def test_without_a_floor_or_a_model_there_is_nothing_to_decide() -> None:
    looks = Looks()
    (found,) = undecided(looks, None, seen=TrustInputs(None, None, None, {}))
    assert found.finding == "no_data"
    plain = replace(FLOORED, monitoring=replace(FLOORED.monitoring, floors={}))
    assert [each.finding for each in undecided(looks, None, pipeline=plain)] == ["no_data"]


def test_it_says_how_many_outcomes_are_missing() -> None:
    assert text(realised(0.64, 0.74)).endswith(
        "lies on both sides of 0.7: about 2,400 more of the rarer class would tell"
    ), "an interval of a fifth of the length takes 25 times the outcomes"
    assert text(realised(0.66, 0.74)).endswith("it is at its limit, and no number of outcomes would tell soon")
    assert text(realised(0.5, 0.6, positives=20)).endswith("; 10 more of the rarer class are missing")
    assert text(None, Found(classes=(12, 3000))).endswith(
        "12 positive and 3,000 negative outcomes came in 3:00 h, and a figure takes 30 entities of each: "
        "18 more positive ones are missing at least"
    )


def test_labels_that_do_not_come_explain_it() -> None:
    labels, figure = (Entry("p", alert, "", "firing", 0.0) for alert in ("no_labels", "undecided"))
    assert causes_of(figure, [labels, figure]) == [labels]
