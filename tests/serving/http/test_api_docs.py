"""What is written about the interface is what the code does."""

from __future__ import annotations

from pathlib import Path

from jsonschema import Draft202012Validator

from serving.http.api_docs import with_current_tables
from serving.http.docs_page import docs_page, openapi_paths
from serving.prediction.answer import REASONS, WARNING_CODES, answer_fields, answer_schema
from serving.prediction.problems import problem_schema

SHAPE = [
    "prediction_id",
    "id",
    "pipeline",
    "pipeline_hash",
    "model",
    "model_age_s",
    "as_of",
    "source",
    "probability",
    "value",
    "probabilities",
    "decision",
    "tolerance",
    "expired",
    "reason",
    "warnings",
    "contributions",
    "experiment",
    "tolerance_valid_until",
    "tolerance_expired",
]
"""The answer's fields, promised to stay: this list only ever grows at its end."""


def test_the_tables_of_the_api_page_are_current() -> None:
    page = Path("docs/api.md").read_text()
    assert with_current_tables(page) == page, "run python -m serving.http.api_docs docs/api.md"


def test_the_answer_keeps_its_fields_and_has_all_of_them_always() -> None:
    schema = answer_schema()
    assert list(schema["properties"])[: len(SHAPE)] == SHAPE
    assert schema["required"] == list(schema["properties"])
    Draft202012Validator.check_schema(schema)
    Draft202012Validator.check_schema(problem_schema())


def test_every_code_that_the_shape_allows_is_explained() -> None:
    schema = answer_schema()
    assert schema["properties"]["warnings"]["items"]["properties"]["code"]["enum"] == list(WARNING_CODES)
    choices = schema["properties"]["reason"]["anyOf"]
    assert [code for choice in choices for code in choice.get("enum", [None])] == [*REASONS, None]


def test_the_docs_page_names_every_field_and_needs_nothing_from_elsewhere() -> None:
    page = docs_page("flights")
    assert all(f"<td>{name}</td>" in page for name, _, _ in answer_fields())
    assert "http://" not in page
    assert "https://" not in page


def test_openapi_has_the_predict_route_with_its_answer_and_every_error() -> None:
    responses = openapi_paths("flights")["/v1/pipelines/flights/predict"]["post"]["responses"]
    assert set(responses) >= {"200", "400", "401", "404", "413", "422", "429", "503"}
    assert responses["200"]["content"]["application/json"]["schema"] == answer_schema()
