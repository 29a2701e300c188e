"""A pipeline compiled: the spec that the native transform runs, and the SQL that Spark would run instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from contract.pipeline import Events, Field, Label, Pipeline, Type
from streaming._native import Transform
from streaming.expressions.compile_expressions import CompiledExpressions, compile_expressions

VERSION = 1
"""Of the spec's format; the same as in streaming/native/transform/src/spec.rs."""

VALUE = "value"
WAIT = "wait"


@dataclass(frozen=True)
class Compiled:
    """What `Transform` takes, and what is known of it without running it."""

    spec: str
    """JSON text; see streaming/native/transform/src/spec.rs."""
    feature_types: Mapping[str, Type]
    """In the order of the file."""
    spark_sql: Mapping[str, str]
    """Feature -> the typed SQL that Spark evaluates to the same value."""
    label_sql: str
    """Likewise of the label's value."""


def compile_pipeline(pipeline: Pipeline) -> Compiled:
    """Compile the features, the label's value and its wait.

    Raises:
        ExpressionError: never for what `load` returned.
    """
    features = compile_expressions(pipeline.features, names_of(pipeline.events.fields))
    value = compile_expressions({VALUE: pipeline.label.value}, names_of(pipeline.label.fields))
    return Compiled(
        spec=json.dumps(_spec(pipeline, features, value), separators=(",", ":")),
        feature_types=dict(features.types),
        spark_sql=dict(features.spark_sql),
        label_sql=value.spark_sql[VALUE],
    )


@lru_cache(maxsize=16)
def transform_of(spec: str) -> Transform:
    """The native transform of a spec, made once in each process."""
    return Transform(spec)


def names_of(fields: tuple[Field, ...]) -> dict[str, Type]:
    """What an expression may name: sensitive fields are never stored, so nothing may depend on them."""
    return {field.name: field.type for field in fields if not field.sensitive}


def _spec(pipeline: Pipeline, features: CompiledExpressions, value: CompiledExpressions) -> dict[str, Any]:
    columns = [{"name": name, "type": features.types[name].value} for name in pipeline.features]
    return {
        "version": VERSION,
        "pipeline": pipeline.name,
        "event": _event(pipeline.events),
        "label": _label(pipeline.label, value),
        "wait": _wait(pipeline),
        "max_wait_us": _microseconds(pipeline.label.max_wait),
        "features": {"columns": columns, "program": features.program},
    }


def _event(events: Events) -> dict[str, Any]:
    roles = {"key": list(events.key), "id": events.id, "time": events.time, "host": events.host}
    return {"fields": _fields(events.fields), **roles}


def _label(label: Label, value: CompiledExpressions) -> dict[str, Any]:
    return {"fields": _fields(label.fields), "key": list(label.key), "time": label.time, "value": value.program}


def _fields(fields: tuple[Field, ...]) -> list[dict[str, Any]]:
    return [
        {"name": field.name, "type": field.type.value, "required": field.required, "sensitive": field.sensitive}
        for field in fields
    ]


def _wait(pipeline: Pipeline) -> dict[str, Any]:
    wait = pipeline.label.wait
    if isinstance(wait, timedelta):
        return {"duration_us": _microseconds(wait)}
    return {"program": compile_expressions({WAIT: wait}, names_of(pipeline.events.fields)).program}


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
