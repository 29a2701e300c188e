"""Realised figures on their way to InfluxDB: at their own minute, and once unless they change."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from contract.metrics_docs import PAGE
from monitoring.judge.model_health import Realised
from monitoring.judge.model_points import OF_VERSION, REALISED, ModelPoints
from monitoring.judge.outcome_follower import Found

ONE = Realised(1_800_000_000, 180, 0.75, 0.5, 200, 50, "p-20261128T000000Z")
NEXT = replace(ONE, minute_s=ONE.minute_s + 60, auc=0.8)


def lines(points: ModelPoints, **found: Found) -> list[str]:
    return [cast(str, point.to_line_protocol()) for point in points.points(found)]


def test_each_minute_and_each_version_is_told_once() -> None:
    points, figures = ModelPoints(), "auc=0.75,log_loss=0.5,outcomes=200,positives=50,span_s=180"
    first = Found(
        realised=(ONE,), by_model={ONE.newest_model: ONE}, provisional={"p-2": replace(ONE, auc=0.9), "p-3": None}
    )
    assert lines(points, p=first) == [
        f"{REALISED},pipeline=p {figures} 1800000000000",
        f"{OF_VERSION},labels=final,model=p-20261128T000000Z,pipeline=p {figures} 1800000000000",
        f"{OF_VERSION},labels=provisional,model=p-2,pipeline=p {figures.replace('0.75', '0.9')} 1800000000000",
    ]
    assert lines(points, p=first) == []
    assert lines(points, p=replace(first, realised=(ONE, NEXT))) == [
        f"{REALISED},pipeline=p {figures.replace('0.75', '0.8')} 1800000060000"
    ]
    late = replace(ONE, outcomes=201)
    assert len(lines(points, p=replace(first, realised=(late, NEXT)))) == 1, "a late label changes its minute"


def test_a_pipeline_that_is_gone_is_forgotten_and_may_come_back() -> None:
    points = ModelPoints()
    found = Found(realised=(ONE,))
    assert len(lines(points, p=found, q=found)) == 2
    assert lines(points, q=found) == []
    assert len(lines(points, p=found, q=found)) == 1


def test_the_page_of_metrics_names_both_measurements() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"`{REALISED}`" in page
    assert f"`{OF_VERSION}`" in page
