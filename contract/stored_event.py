"""A question's event as JSON can hold it: what logged predictions and reference rows keep of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.pipeline import Pipeline, Type
from contract.timestamps import exact_rfc3339


def stored_event(pipeline: Pipeline, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The declared fields that are neither sensitive nor NULL, with exactly their values: features need no others.

    `fields` are decoded values by name, timestamps in microseconds. What else a body had is left out: it may be
    hostile, or a sensitive field misspelt.
    """
    declared = (field for field in pipeline.events.fields if not field.sensitive)
    present = ((field, fields[field.name]) for field in declared if fields.get(field.name) is not None)
    return {field.name: exact_rfc3339(value) if field.type is Type.TIMESTAMP else value for field, value in present}


def is_answerable(pipeline: Pipeline, event: Mapping[str, Any]) -> bool:
    """Whether a stored event has every field that a question may not lack."""
    needed = {pipeline.events.id, *pipeline.events.key, *(f.name for f in pipeline.events.fields if f.required)}
    return needed <= event.keys()
