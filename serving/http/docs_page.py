"""The hot address described: a page for people, OpenAPI for programs; both made from the declared shapes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from serving.prediction.answer import WARNING_CODES, answer_fields, answer_schema
from serving.prediction.problems import TITLES, problem_schema

PARAMETERS = {
    "as_of": "the moment of the question: RFC 3339, or epoch milliseconds; default: the body's time, else now",
    "strict": "1: what would be a warning is a 422",
    "tolerance": "the risk tolerance that decides; default: that of the pipeline, else the model's threshold",
}
"""The query parameters of a predict request."""

_STYLE = "body{font:15px/1.5 system-ui;max-width:60em;margin:2em auto}td,th{text-align:left;padding:.2em 1em .2em 0}"


def docs_page(pipeline: str) -> str:
    """One HTML page that needs nothing else."""
    return "".join(
        (
            f"<!doctype html><meta charset=utf-8><title>{escape(pipeline)}</title><style>{_STYLE}</style>",
            f"<h1>{escape(pipeline)}</h1><p><code>POST /v1/pipelines/{escape(pipeline)}/predict</code>: the body is",
            " the event as it would be on Kafka; <code>Authorization: Bearer KEY</code>.",
            ' <a href="openapi.json">OpenAPI</a></p>',
            "<h2>Parameters</h2>" + _table(PARAMETERS.items()),
            "<h2>Answer</h2>" + _table(answer_fields()),
            "<h2>Warnings</h2>" + _table(WARNING_CODES.items()),
            "<h2>Errors</h2>" + _table((str(status), title) for status, (_, title) in TITLES.items()),
        )
    )


def openapi_paths(pipeline: str) -> dict[str, Any]:
    """The predict route as OpenAPI 3.1 paths."""
    errors = {str(status): _content(title, "problem+json", problem_schema()) for status, (_, title) in TITLES.items()}
    predict = {
        "summary": "Ask about one event",
        "parameters": [
            {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
            for name, meaning in PARAMETERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {"200": _content("The answer", "json", answer_schema())} | errors,
    }
    return {f"/v1/pipelines/{pipeline}/predict": {"post": predict}}


def _content(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {f"application/{media_type}": {"schema": schema}}}


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
