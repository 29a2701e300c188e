"""What H2O's frames say of themselves, as values of Python."""

from __future__ import annotations

from typing import Any

import h2o
import numpy as np


def values_by_column(frame: Any) -> list[list[str]]:
    """The cells as H2O writes them, column by column."""
    rows = h2o.as_list(frame, use_pandas=False, header=False)
    return [list(column) for column in zip(*rows, strict=True)]


def levels(frame: Any, column: str) -> list[str]:
    """The levels, for people: H2O's JSON names some control characters wrongly (U+001F becomes `ñ`)."""
    return list(h2o.api(f"GET /3/Frames/{frame.frame_id}/columns/{column}/domain")["domain"][0] or [])


def described(frame: Any) -> dict[str, dict[str, Any]]:
    """By column: its levels if it is categorical, else its smallest and largest value."""
    columns = h2o.api(f"GET /3/Frames/{frame.frame_id}/summary")["frames"][0]["columns"]
    return {column["label"]: _described(column) for column in columns}


def _described(column: dict[str, Any]) -> dict[str, Any]:
    if column["domain"] is not None:
        return {"levels": column["domain"], "min": None, "max": None}
    return {"levels": None, "min": _number(column["mins"]), "max": _number(column["maxs"])}


def _number(values: list[Any]) -> float | None:
    """The first of H2O's extreme values; it writes those of an empty column as text."""
    return float(values[0]) if values and isinstance(values[0], int | float) and np.isfinite(values[0]) else None
