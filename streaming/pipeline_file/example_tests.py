"""`[[examples]]`: a team's own tests of its features, run by the native transform."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date, datetime, time

from contract.pipeline import Example, Pipeline
from contract.timestamps import to_us
from streaming._native import Transform


@dataclass(frozen=True)
class Mismatch:
    """One thing in an example that is not as expected; `path` is its dotted key in the file."""

    path: str
    message: str


def run_examples(pipeline: Pipeline, transform: Transform) -> list[Mismatch]:
    """Everything in the file's examples that is not as expected."""
    found = []
    for index, example in enumerate(pipeline.examples):
        found += run_example(example, f"examples.{index}", transform)
    return found


def run_example(example: Example, path: str, transform: Transform) -> list[Mismatch]:
    """What is not as expected in one example."""
    as_of_us = None if example.as_of is None else to_us(example.as_of)
    answer = transform.question(json.dumps(example.event, default=_json_moment).encode(), as_of_us, 0)
    if answer["errors"]:
        return [Mismatch(f"{path}.event", describe_error(error)) for error in answer["errors"]]
    unknown = [Mismatch(f"{path}.event.{name}", f'event: there is no field "{name}"') for name in answer["unknown"]]
    return unknown + _compare(example, f"{path}.expected", answer["features"])


def _compare(example: Example, path: str, features: dict[str, object]) -> list[Mismatch]:
    return [
        Mismatch(f"{path}.{name}", f"{name}: expected {shown(expected)}, got {shown(features[name])}")
        for name, expected in example.expected.items()
        if not is_same(expected, features[name])
    ]


def is_same(expected: object, got: object) -> bool:
    """Whether a feature has the expected value: numbers to nine digits, everything else exactly."""
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None or got is None:
        return expected is got
    if isinstance(expected, int | float) and isinstance(got, int | float):
        both_nan = math.isnan(expected) and math.isnan(got)
        return both_nan or math.isclose(expected, got, rel_tol=1e-9, abs_tol=1e-12)
    return expected == got


def describe_error(error: dict[str, object]) -> str:
    """One line for one error of `Transform.one`."""
    place = f" at byte {error['at_byte']}" if error["at_byte"] is not None else ""
    return f"{error['reason']}{place}: {error['field'] or 'the record'} {error['detail']}"


def shown(value: object) -> str:
    """A value as the pipeline file would write it; NULL as SQL does."""
    return "NULL" if value is None else json.dumps(value, ensure_ascii=False)


def _json_moment(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError(f"an event cannot hold a {type(value).__name__}")
