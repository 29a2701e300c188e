"""The record of a prediction as it goes to Kafka: `streaming.records.PREDICTION`."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from serving.moments import exact_rfc3339, rfc3339
from serving.verdict import Verdict
from streaming.pipeline import Pipeline, Type


def prediction_record(
    verdict: Verdict, body: bytes, pipeline: Pipeline, now_us: int, scorer: str, traceparent: str | None
) -> bytes:
    """UTF-8 JSON; `event` is the body's own text, byte for byte, so that its numbers stay what they were.

    Where fields are sensitive it is made of the declared fields that are not: an undeclared one might be a
    sensitive one misspelt.
    """
    answer, scored = verdict.answer, verdict.scored
    due_us = scored["due_us"]
    record = {
        **{name: answer[name] for name in ("prediction_id", "id", "model", "pipeline_hash")},
        **{name: answer[name] for name in ("probability", "decision", "model_age_s")},
        "key": scored["key"],
        "as_of": exact_rfc3339(scored["as_of_us"]),
        "due": None if due_us is None else exact_rfc3339(due_us),
        "answered": rfc3339(now_us),
        "hypothetical": verdict.hypothetical,
        "features": {name: _plain(value) for name, value in scored["features"].items()},
        "as_of_source": scored["as_of_source"],
        "scorer": scorer,
        "traceparent": traceparent,
    }
    head = json.dumps(record, ensure_ascii=False, allow_nan=False).encode()
    return head[:-1] + b',"event":' + _event(scored["fields"], body, pipeline) + b"}"


def _event(fields: dict[str, Any], body: bytes, pipeline: Pipeline) -> bytes:
    declared = pipeline.events.fields
    if not any(field.sensitive for field in declared):
        return body.strip()
    types = {field.name: field.type for field in declared if not field.sensitive}
    kept = {name: _plain(value, types[name]) for name, value in fields.items() if name in types}
    return json.dumps(kept, ensure_ascii=False, allow_nan=False).encode()


def _plain(value: Any, type_: Type | None = None) -> Any:
    """As JSON can say it: a number that is not finite as its name, a moment as RFC 3339."""
    if isinstance(value, float) and not isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if type_ is Type.TIMESTAMP and isinstance(value, int):
        return exact_rfc3339(value)
    return value
