"""Realised figures on their way to InfluxDB: at their own minute, and once unless they change."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from contract.manifest import moment_of
from contract.measurements import FIGURES, MODEL_REALISED, SLICE_REALISED, VERSION_REALISED
from monitoring.judge.model_health import OfLevel, Realised
from monitoring.judge.model_points import ModelPoints
from monitoring.judge.outcome_follower import Found
from training.evaluation.confidence_intervals import Interval

VERSION = "p-20261128T000000Z"
ONE = Realised(1_800_000_000, 180, 0.75, 0.5, 200, 50, VERSION, {"auc": Interval(0.75, 0.7, 0.8)})
BETTER = {"auc": Interval(0.8, 0.75, 0.85)}
NEXT = replace(ONE, minute_s=ONE.minute_s + 60, figures=BETTER)


def lines(points: ModelPoints, **found: Found) -> list[str]:
    return [cast(str, point.to_line_protocol()) for point in points.points(found)]


def test_each_minute_each_version_and_each_level_is_told_once() -> None:
    counts = "outcomes=200,positives=50,span_s=180"
    points, figures = ModelPoints(), f"auc=0.75,auc_high=0.8,auc_low=0.7,{counts}"
    better, age_s = f"auc=0.8,auc_high=0.85,auc_low=0.75,{counts}", ONE.minute_s - moment_of(VERSION).timestamp()
    first = Found(
        realised=(ONE,),
        by_model={VERSION: ONE},
        provisional={"p-2": replace(ONE, figures=BETTER), "p-3": None},
        by_slice=(OfLevel("origin", "JFK", ONE), OfLevel("origin", "", NEXT)),
    )
    aged = f"age_s={age_s:.0f},{figures}"
    assert lines(points, p=first) == [
        f"{MODEL_REALISED.name},pipeline=p {figures} 1800000000000",
        f"{VERSION_REALISED.name},labels=final,model={VERSION},pipeline=p {aged} 1800000000000",
        f"{VERSION_REALISED.name},labels=provisional,model=p-2,pipeline=p {better} 1800000000000",
        f"{SLICE_REALISED.name},level=JFK,pipeline=p,slice=origin {figures} 1800000000000",
        f"{SLICE_REALISED.name},level=(missing),pipeline=p,slice=origin {better} 1800000060000",
    ]
    assert lines(points, p=first) == []
    assert lines(points, p=replace(first, realised=(ONE, NEXT))) == [
        f"{MODEL_REALISED.name},pipeline=p {better} 1800000060000"
    ]
    late = replace(ONE, outcomes=201)
    assert len(lines(points, p=replace(first, realised=(late, NEXT)))) == 1, "a late label changes its minute"


def test_a_pipeline_that_is_gone_is_forgotten_and_may_come_back() -> None:
    points = ModelPoints()
    found = Found(realised=(ONE,))
    assert len(lines(points, p=found, q=found)) == 2
    assert lines(points, q=found) == []
    assert len(lines(points, p=found, q=found)) == 1


def test_every_declared_field_is_written_and_no_other() -> None:
    figures = {name: Interval(0.5, 0.4, 0.6) for name in FIGURES}
    whole = replace(ONE, figures=figures)
    found = Found(realised=(whole,), by_model={VERSION: whole}, by_slice=(OfLevel("origin", "JFK", whole),))
    for point, declared in zip(
        ModelPoints().points({"p": found}), (MODEL_REALISED, VERSION_REALISED, SLICE_REALISED), strict=True
    ):
        assert point._name == declared.name
        assert set(point._fields) == set(declared.fields)
        assert set(point._tags) == set(declared.tags)
