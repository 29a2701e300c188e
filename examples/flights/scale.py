"""The pipeline file for another speed: the same pipeline under its own name and topics.

Scaled are the durations of `[label]`, `[lake] buckets` and `[training]`, and the INTERVALs in expressions; no others.
"""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import tomlkit

from streaming.expressions.intervals import interval_literals
from streaming.pipeline_file.durations import format_duration, is_duration, parse_duration

SCALED = {"label": ("wait", "max_wait", "max_late"), "lake": ("buckets",), "training": ("window", "holdout", "every")}


def scaled(source: str, speed: float, usual_speed: float) -> str:
    """The text of the file at `speed`, comments kept; `flights` becomes `flights_x120`.

    Raises:
        ValueError: a duration would no longer be a whole number of milliseconds.
    """
    document = tomlkit.parse(source)
    factor = usual_speed / speed
    old, new = str(document["name"]), f"{document['name']}_x{speed:g}".replace(".", "_")
    _rename(document, old, new)
    for table, keys in SCALED.items():
        section: Any = document[table]
        for key in keys:
            if key in section:
                section[key] = _scaled_text(str(section[key]), factor)
    features: Any = document["features"]
    for name in features:
        features[name] = _with_scaled_intervals(str(features[name]), factor)
    label: Any = document["label"]
    label["value"] = _with_scaled_intervals(str(label["value"]), factor)
    return tomlkit.dumps(document)


def _rename(document: Any, old: str, new: str) -> None:
    document["name"] = new
    for table in ("events", "label"):
        document[table]["topic"] = _renamed(str(document[table]["topic"]), old, new)
    if "facts" in document:
        document["facts"]["topics"] = [_renamed(str(topic), old, new) for topic in document["facts"]["topics"]]


def _renamed(topic: str, old: str, new: str) -> str:
    return re.sub(rf"^{re.escape(old)}\.", f"{new}.", topic)


def _scaled_text(text: str, factor: float) -> str:
    """A duration, or an expression with INTERVALs in it."""
    if is_duration(text):
        return format_duration(_times(parse_duration(text), factor))
    return _with_scaled_intervals(text, factor)


def _with_scaled_intervals(expression: str, factor: float) -> str:
    for start, end, length in reversed(interval_literals(expression)):
        milliseconds = _times(length, factor) // timedelta(milliseconds=1)
        expression = f"{expression[:start]}INTERVAL '{milliseconds / 1000:g}' SECOND{expression[end:]}"
    return expression


def _times(length: timedelta, factor: float) -> timedelta:
    found = timedelta(milliseconds=round(length.total_seconds() * 1000 * factor))
    if abs(found.total_seconds() - length.total_seconds() * factor) > 1e-6:
        raise ValueError(f"{length} at this speed is no whole number of milliseconds")
    return found


def main() -> None:
    """`scale.py FILE SPEED USUAL_SPEED`: print the file at this speed."""
    file, speed, usual_speed = sys.argv[1:]
    try:
        print(scaled(Path(file).read_text(), float(speed), float(usual_speed)), end="")
    except ValueError as error:
        sys.exit(f"{file}: {error}; use another speed")


if __name__ == "__main__":
    main()
