"""The record of a prediction as it goes to Kafka: `contract.records.PREDICTION`."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from contract.pipeline import Pipeline
from contract.stored_event import stored_event
from contract.timestamps import exact_rfc3339, rfc3339_of_us
from serving.prediction.verdict import Verdict


def prediction_record(verdict: Verdict, pipeline: Pipeline, now_us: int, scorer: str, traceparent: str | None) -> bytes:
    """UTF-8 JSON. `event` holds what `stored_event` keeps of the fields that the model's own program declares; a field
    that the pipeline file has got since is not among them."""
    answer, scored = verdict.answer, verdict.scored
    due_us = scored["due_us"]
    record = {
        **{name: answer[name] for name in ("prediction_id", "id", "model", "pipeline_hash")},
        **{name: answer[name] for name in ("probability", "decision", "tolerance", "reason", "model_age_s")},
        "key": scored["key"],
        "as_of": exact_rfc3339(scored["as_of_us"]),
        "due": None if due_us is None else exact_rfc3339(due_us),
        "answered": rfc3339_of_us(now_us),
        "hypothetical": verdict.hypothetical,
        "features": {name: _number_or_name(value) for name, value in scored["features"].items()},
        "event": stored_event(pipeline, scored["fields"]),
        "as_of_source": scored["as_of_source"],
        "scorer": scorer,
        "traceparent": traceparent,
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode()


def _number_or_name(value: Any) -> Any:
    """A value as JSON can hold it: a number that is not finite becomes its name."""
    if isinstance(value, float) and not isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value
