"""From what the native call found to the answer: what a running scorer cannot be made to show."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.timestamps import parse_us
from serving.prediction.problems import MOST_LISTED
from serving.prediction.question import Options
from serving.prediction.served_model import ServedModel, ServedModelError
from serving.prediction.verdict import Verdict, judge, refusal
from serving.prediction_log.prediction_record import prediction_record
from streaming._native import Transform
from tests.serving.bodies import QUESTIONS
from tests.serving.scoring_host import ANSWER, PROBLEM, QUESTION, ScoringHost

NOW_US = 1_769_846_400_000_000
TOLERANCE_US = 5_000_000


@pytest.fixture(scope="module")
def host() -> Iterator[ScoringHost]:
    with ScoringHost() as host:
        yield host


@pytest.fixture(scope="module")
def model(host: ScoringHost) -> ServedModel:
    return ServedModel(host.bundle, host.pipeline)


def judged(model: ServedModel, stated_us: int | None = None, **instead: Any) -> Verdict:
    scored = model.bundle.score(json.dumps(QUESTION).encode(), stated_us, NOW_US) | instead
    verdict = judge(scored, Options(stated_us), model, NOW_US, TOLERANCE_US, "id")
    assert isinstance(verdict, Verdict)
    ANSWER.validate(json.loads(json.dumps(verdict.answer, allow_nan=False)))
    return verdict


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_makes_it_abstain(model: ServedModel, figure: float) -> None:
    answer = judged(model, probability=figure, decision="abstain", reason="not_finite").answer
    assert (answer["probability"], answer["decision"], answer["reason"]) == (None, "abstain", "not_finite")


@pytest.mark.parametrize(("off_us", "skewed"), [(TOLERANCE_US, False), (TOLERANCE_US + 1, True)])
@pytest.mark.parametrize("sign", [1, -1])
def test_only_a_stated_as_of_beyond_the_tolerance_is_hypothetical(
    model: ServedModel, off_us: int, skewed: bool, sign: int
) -> None:
    moment_us = NOW_US + sign * off_us
    assert judged(model, moment_us).hypothetical is skewed
    by_body = judged(model, as_of_source="body", as_of_us=moment_us)
    assert not by_body.hypothetical, "the application did ask then, by its own clock"
    assert [warning["code"] for warning in by_body.answer["warnings"]] == ["clock_skew"] * skewed


@pytest.mark.parametrize(("unknown", "ends"), [(50, "no such field"), (51, "; nor 1 more")])
def test_unknown_fields_beyond_fifty_are_counted(model: ServedModel, unknown: int, ends: str) -> None:
    warnings = judged(model, unknown=[f"extra{n}" for n in range(unknown)]).answer["warnings"]
    assert len(warnings) == 50
    assert warnings[-1]["detail"].endswith(ends)


def test_an_unknown_field_that_comes_twice_is_named_once(model: ServedModel) -> None:
    warnings = judged(model, unknown=["shape", "shade", "shape"]).answer["warnings"]
    assert [warning["field"] for warning in warnings] == ["shape", "shade"]


def test_a_hostile_body_does_not_make_an_endless_problem_document(model: ServedModel) -> None:
    body = b'{"id": "q", "machine": "m", "size": 1' + b', "size": 1' * 10_000 + b"}"
    problem = refusal(model.bundle.score(body, None, NOW_US), [])
    assert problem is not None
    PROBLEM.validate(problem.document())
    assert len(problem.document()["errors"]) <= MOST_LISTED


def test_a_bundle_of_another_pipeline_is_refused(host: ScoringHost) -> None:
    with pytest.raises(ServedModelError, match="is a model of p, not of q"):
        ServedModel(host.bundle, replace(host.pipeline, name="q"))


@settings(max_examples=300, deadline=None)
@given(QUESTIONS, st.integers(-(10**15), 10**17))
def test_from_a_logged_prediction_the_served_features_come_out_again(
    host: ScoringHost, model: ServedModel, question: dict[str, Any], moment_us: int
) -> None:
    scored = model.bundle.score(json.dumps(question).encode(), moment_us, NOW_US)
    if scored["errors"]:
        return
    verdict = judge(scored, Options(moment_us), model, NOW_US, TOLERANCE_US, "id")
    assert isinstance(verdict, Verdict)
    record = json.loads(prediction_record(verdict, host.pipeline, NOW_US, "s-1", None))
    again = Transform(host.spec).question(json.dumps(record["event"]).encode(), parse_us(record["as_of"]), NOW_US)
    assert again["errors"] == []
    assert repr(again["features"]) == repr(scored["features"]), "bit for bit, -0.0 included"
    assert repr(record["features"]) == repr(scored["features"])
