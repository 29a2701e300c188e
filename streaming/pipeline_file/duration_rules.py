"""Whether the durations of a pipeline file agree with each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streaming.pipeline_file.defaults import least_max_age, needed_retention
from streaming.pipeline_file.diagnostics import Problems
from streaming.pipeline_file.durations import format_duration
from streaming.pipeline_file.read_sections import Draft


def check_durations(draft: Draft, problems: Problems) -> None:
    """Note every pair of durations with which the pipeline could not work."""
    _check_buckets(draft, problems)
    _check_wait(draft["label"], problems)
    _check_max_age(draft, problems)
    _check_retention(draft, problems)


def _check_buckets(draft: Draft, problems: Problems) -> None:
    buckets = draft["lake"].get("buckets")
    if buckets is None:
        return
    if buckets % timedelta(seconds=1):
        problems.add("lake.buckets", f"buckets: must be whole seconds, not {format_duration(buckets)}")
    for name in ("window", "holdout"):
        span = draft["training"].get(name)
        if span is not None and span < buckets:
            text = f"{name}: {format_duration(span)} is shorter than a bucket ({format_duration(buckets)})"
            problems.add(f"training.{name}", f"{text}; make it longer, or [lake] buckets shorter")


def _check_wait(label: dict[str, Any], problems: Problems) -> None:
    wait, max_wait = label.get("wait"), label.get("max_wait")
    if isinstance(wait, timedelta) and max_wait is not None and wait > max_wait:
        problems.add(
            "label.wait", f"wait: {format_duration(wait)} is longer than max_wait ({format_duration(max_wait)})"
        )


def _all(draft: Draft, *paths: str) -> list[timedelta] | None:
    """The durations at `section.key`, or None when one is missing."""
    found = [draft[path.partition(".")[0]].get(path.partition(".")[2]) for path in paths]
    return None if any(value is None for value in found) else found  # type: ignore[return-value]


def _check_max_age(draft: Draft, problems: Problems) -> None:
    parts = _all(draft, "label.max_wait", "training.holdout", "training.every")
    max_age = draft["serving"].get("max_age")
    if parts is None or max_age is None:
        return
    least = least_max_age(*parts)
    if max_age < least:
        sums = f"max_wait + holdout + 2 x every = {format_duration(least)}"
        problems.add(
            "serving.max_age", f"max_age: {format_duration(max_age)} is less than {sums}: no answer would count"
        )


def _check_retention(draft: Draft, problems: Problems) -> None:
    lake = draft["lake"]
    parts = _all(draft, "training.window", "training.holdout", "label.max_wait")
    if "retention" not in lake or parts is None:
        return
    needed = needed_retention(*parts)
    if lake["retention"] < needed:
        sums = f"window + holdout + max_wait = {format_duration(needed)}"
        problems.add("lake.retention", f"retention: {format_duration(lake['retention'])} is less than {sums}")
    if lake.get("raw_retention", timedelta(0)) > lake["retention"]:
        problems.add("lake.raw_retention", "raw_retention: raw bytes cannot stay longer than their rows (retention)")
