"""Keeps docs/metrics.md true: `python -m contract.metrics_docs` writes its tables anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import contract.metrics  # noqa: F401  declares every metric
from contract.doc_tables import table, with_tables
from contract.measurements import MEASUREMENTS, Measurement
from contract.metric_types import DECLARED, Declared

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"


def tables() -> Mapping[str, str]:
    """The page's tables by the process that emits."""
    emitters = dict.fromkeys(each.emitter for each in DECLARED)
    measurements = table(("measurement", "tags", "fields", "what"), (_measurement(each) for each in MEASUREMENTS))
    return {"measurements": measurements} | {f"metrics: {emitter}": _table(emitter) for emitter in emitters}


def _table(emitter: str) -> str:
    rows = (_row(each) for each in DECLARED if each.emitter == emitter)
    return table(("metric", "type", "unit", "meaning", "labels"), rows)


def _measurement(each: Measurement) -> tuple[str, ...]:
    tags = ", ".join(f"`{tag}`" for tag in each.tags)
    shown = {name: unit for name, unit in each.fields.items() if not name.endswith(("_low", "_high"))}
    fields = ", ".join(f"`{field}` ({unit})" for field, unit in shown.items())
    return f"`{each.name}`", tags, fields, each.meaning


def _row(each: Declared) -> tuple[str, ...]:
    meaning = each.meaning + (" *" if each.only_by_fault else "")
    labels = ", ".join(f"`{label}`" for label in each.labels)
    return f"`{each.name}`", each.kind, each.unit, meaning, labels


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
