"""The kinds of values in a pipeline file: how each is read from TOML, and how the reference names it.

A reader takes (value, dotted path, problems), notes what is wrong and then returns None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from streaming.pipeline_file.diagnostics import Problems, did_you_mean
from streaming.pipeline_file.durations import is_duration, parse_duration

Reader = Callable[[object, str, Problems], object]


@dataclass(frozen=True)
class ValueType:
    """A kind of value: its name in the reference, and its reader."""

    says: str
    read: Reader


_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,200}")


def _value_type(says: str, convert: Callable[[object], object]) -> ValueType:
    """A kind of a single value: `convert` raises ValueError with what is wrong."""

    def read(value: object, path: str, problems: Problems) -> object:
        try:
            return convert(value)
        except ValueError as error:
            problems.add(path, f"{last_part(path)}: {error}")
            return None

    return ValueType(says, read)


def last_part(path: str) -> str:
    """The key itself, of a dotted path."""
    return path.rpartition(".")[2]


def shown(value: object) -> str:
    """A TOML value in a message."""
    names = {dict: "a table", list: "a list", bool: str(value).lower()}
    return names.get(type(value), f'"{value}"' if isinstance(value, str) else str(value))


def check_name(value: object) -> str:
    """Names of pipelines, fields and features.

    Raises:
        ValueError: with the rule.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not a name; use lower-case letters, digits and _, at most 48, letter first"
        )
    return value


def _topic(value: object) -> str:
    if not isinstance(value, str) or not _TOPIC.fullmatch(value) or value in (".", ".."):
        raise ValueError(f"{shown(value)} is not a Kafka topic; use letters, digits, '.', '_' and '-', at most 200")
    return value


def _listed(one: Callable[[object], str], what: str) -> Callable[[object], tuple[str, ...]]:
    def convert(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a list of {what}, not {shown(value)}")
        items = tuple(one(item) for item in value)
        if len(set(items)) < len(items):
            raise ValueError("names one thing twice")
        return items

    return convert


def _name_or_names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (check_name(value),)
    items = _listed(check_name, "field names")(value)
    if not items:
        raise ValueError("must name at least one field")
    return items


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError(f'must be a duration in quotes, such as "10m", not {shown(value)}')
    return parse_duration(value)


def _positive_duration(value: object) -> timedelta:
    duration = _duration(value)
    if not duration:
        raise ValueError("must be longer than nothing")
    return duration


def _expression(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be an SQL expression in quotes, not {shown(value)}")
    return value.strip()


def _wait(value: object) -> timedelta | str:
    text = _expression(value)
    return parse_duration(text) if is_duration(text) else text


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(value)}")
    return value


def integer(low: int, high: int) -> ValueType:
    def convert(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {shown(value)}")
        return value

    return _value_type(f"whole number, {low} to {high}", convert)


def count_or_default(high: int) -> ValueType:
    """A whole number above 0, or -1: then another program chooses it."""

    def convert(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not (value == -1 or 1 <= value <= high):
            raise ValueError(f"must be a whole number from 1 to {high}, or -1, not {shown(value)}")
        return value

    return _value_type(f"whole number, 1 to {high}, or -1", convert)


def number(low: float, high: float) -> ValueType:
    def convert(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}, not {shown(value)}")
        return float(value)

    return _value_type(f"number, {low:g} to {high:g}", convert)


def one_of(*words: str) -> ValueType:
    """One of a few words."""

    def convert(value: object) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not {shown(value)}")
        return str(value)

    return _value_type(" or ".join(f'"{word}"' for word in words), convert)


def table_of(kinds: Mapping[str, ValueType]) -> ValueType:
    """A table of which every key may be left out, such as floors."""

    def read(value: object, path: str, problems: Problems) -> object:
        if not isinstance(value, dict):
            problems.add(path, f"{last_part(path)}: must be a table of {', '.join(kinds)}, not {shown(value)}")
            return None
        for key in value.keys() - kinds.keys():
            near = did_you_mean(key, kinds)
            problems.add(f"{path}.{key}", f'unknown key "{key}"{near or "; known: " + ", ".join(kinds)}')
        return {key: kinds[key].read(item, f"{path}.{key}", problems) for key, item in value.items() if key in kinds}

    return ValueType(f"table of {', '.join(kinds)}", read)


NAME = _value_type("name", check_name)
NAMES = _value_type("field name, or list of them", _name_or_names)
SLICES = _value_type("list of feature names", _listed(check_name, "feature names"))
TOPIC = _value_type("topic", _topic)
TOPICS = _value_type("list of topics", _listed(_topic, "topics"))
DURATION = _value_type("duration", _duration)
POSITIVE_DURATION = _value_type("duration, above 0", _positive_duration)
EXPRESSION = _value_type("SQL expression", _expression)
WAIT = _value_type("duration, or SQL expression that gives a timestamp", _wait)
BOOLEAN = _value_type("true or false", _boolean)
