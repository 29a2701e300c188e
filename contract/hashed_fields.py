"""What of a pipeline's structures is part of its file's hash: metadata of dataclass fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field
from typing import Any, Final

ONLY_TOLD: Final[Mapping[str, bool]] = {"only_told": True}
"""Of a field that changes nothing that is computed: it is no part of the hash."""
ADDED_LATER: Final[Mapping[str, bool]] = {"added_later": True}
"""Of a field that earlier versions did not know: with its default it is no part, so that old files keep their hash."""


def is_hashed(field: Field[Any], value: object) -> bool:
    """Whether this value of a field is part of the hash."""
    if field.metadata.get("only_told"):
        return False
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return not (field.metadata.get("added_later") and value == default)
