"""The record of a prediction has exactly the fields of the contract, and nothing sensitive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract.pipeline import Pipeline
from contract.records import PREDICTION
from serving.prediction.answer import Answer
from serving.prediction.verdict import Verdict
from serving.prediction_log.prediction_record import prediction_record
from streaming.pipeline_file.load import load

NOW_US = 1_769_846_400_123_456
ANSWER: Answer = {
    "prediction_id": "019c131e-7c00-7000-8000-000000000000",
    "id": "q1",
    "pipeline": "p",
    "pipeline_hash": "abc",
    "model": "p-20261121T021700Z",
    "model_age_s": 12.5,
    "as_of": "2026-01-31T08:00:00.123Z",
    "source": "model",
    "probability": 0.25,
    "value": None,
    "probabilities": None,
    "decision": "abstain",
    "tolerance": "careful",
    "tolerance_valid_until": "2026-02-01T08:00:00.000Z",
    "tolerance_expired": False,
    "expired": False,
    "reason": "between_thresholds",
    "warnings": [],
    "contributions": None,
    "experiment": None,
}
SCORED: dict[str, Any] = {
    "key": '["m-1"]',
    "as_of_us": NOW_US,
    "due_us": NOW_US + 60_000_000,
    "as_of_source": "clock",
    "features": {"size": float("inf"), "many": None, "colour": "röt"},
    "fields": {
        "id": "q1",
        "machine": "m-1",
        "at": NOW_US,
        "colour": None,
        "size": 1e300,
        "count": 2**63 - 1,
        "fresh": False,
        "operator": "Ann",
    },
}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return load(Path(__file__).parents[1] / "machines.toml")


def recorded(pipeline: Pipeline, **scored: Any) -> dict[str, Any]:
    verdict = Verdict(ANSWER, SCORED | scored, hypothetical=False)
    record: dict[str, Any] = json.loads(prediction_record(verdict, pipeline, NOW_US, "s-1", None))
    return record


def test_it_has_exactly_the_fields_of_the_contract(pipeline: Pipeline) -> None:
    record = recorded(pipeline)
    assert set(record) == set(PREDICTION)
    assert (record["key"], record["answered"]) == ('["m-1"]', "2026-01-31T08:00:00.123Z")
    assert recorded(pipeline, due_us=None)["due"] is None
    told = (record["decision"], record["tolerance"], record["reason"])
    assert told == ("abstain", "careful", "between_thresholds")


def test_it_says_whether_somebody_really_asked_then_how_the_moment_was_stated_and_for_whom(pipeline: Pipeline) -> None:
    verdict = Verdict(ANSWER, SCORED | {"as_of_source": "query"}, hypothetical=True)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    record = json.loads(prediction_record(verdict, pipeline, NOW_US, "s-1", trace))
    assert (record["hypothetical"], record["as_of_source"], record["traceparent"]) == (True, "query", trace)
    usual = recorded(pipeline)
    assert (usual["hypothetical"], usual["as_of_source"], usual["traceparent"]) == (False, "clock", None)


def test_moments_keep_their_microseconds_so_that_features_can_be_evaluated_again(pipeline: Pipeline) -> None:
    record = recorded(pipeline)
    assert (record["as_of"], record["due"]) == ("2026-01-31T08:00:00.123456Z", "2026-01-31T08:01:00.123456Z")
    assert recorded(pipeline, as_of_us=NOW_US // 1000 * 1000)["as_of"] == ANSWER["as_of"]


def test_figures_that_json_cannot_say_are_names(pipeline: Pipeline) -> None:
    assert recorded(pipeline)["features"] == {"size": "Infinity", "many": None, "colour": "röt"}


def test_the_event_has_the_declared_values_exactly_and_nothing_sensitive(pipeline: Pipeline) -> None:
    assert recorded(pipeline)["event"] == {
        "id": "q1",
        "machine": "m-1",
        "at": "2026-01-31T08:00:00.123456Z",
        "size": 1e300,
        "count": 2**63 - 1,
        "fresh": False,
    }
