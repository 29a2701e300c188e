"""What a table of the pipeline file is made of."""

from __future__ import annotations

from dataclasses import dataclass

from streaming.pipeline_file.value_types import ValueType


@dataclass(frozen=True)
class Key:
    name: str
    kind: ValueType
    default: str | None
    meaning: str


@dataclass(frozen=True)
class Section:
    """A table of the file. `required`: the file cannot do without it."""

    name: str
    meaning: str
    keys: tuple[Key, ...]
    required: bool = False
