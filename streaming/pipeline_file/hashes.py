"""Names for meanings: two files that say the same have the same hashes, whatever their comments and order.

The order of the features counts in `file_hash` (it is the order of the model's columns), not in `rows_hash`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from contract.hashed_fields import is_hashed
from contract.pipeline import Events, Field, Label, Scorecard
from streaming.expressions.names_used import names_in

LATER: Mapping[str, object] = {"scorecard": Scorecard()}
"""Tables that came after the first hashes, as they are where a file lacks them: it keeps the hash that it had."""
LENGTH = 12
"""Hexadecimal digits of a hash."""


def file_hash(parts: Mapping[str, Any]) -> str:
    """The hash of all that is computed; `parts` are the fields of `Pipeline`, without hashes and examples."""
    said = {name: part for name, part in parts.items() if name not in LATER or part != LATER[name]}
    return _hash({**said, "features": list(parts["features"].items())})


def rows_hash(events: Events, features: Mapping[str, str], label: Label) -> str:
    """The hash of what decides the values in `rows`: features, the label's value, the types of the fields they use."""
    return _hash({
        "features": features,
        "label": label.value,
        "event_types": _types_used(events.fields, features.values()),
        "label_types": _types_used(label.fields, [label.value]),
    })  # fmt: skip


def _types_used(fields: tuple[Field, ...], expressions: Any) -> dict[str, str]:
    used = {name for expression in expressions for name in names_in(expression)}
    return {field.name: field.type.value for field in fields if field.name in used}


def _hash(meaning: object) -> str:
    text = json.dumps(_plain(meaning), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _plain(value: Any) -> Any:
    """JSON's types for ours; sequences of fields are sorted, since their order says nothing."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {field.name: _plain(item) for field, item in fields if is_hashed(field, item)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        ordered = sorted(value, key=lambda field: field.name) if value and isinstance(value[0], Field) else value
        return [_plain(item) for item in ordered]
    if isinstance(value, timedelta):
        return value // timedelta(milliseconds=1)
    return value.value if isinstance(value, Enum) else value
