"""Keeps the tables of alerts in docs/operations.md true: `python -m contract.alert_docs` writes them anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from contract.alert_catalogue import ALERTS
from contract.alert_types import AlertDefault, FromPipeline
from contract.doc_tables import table, with_tables

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
_NO_DATA: Final = {"ok": "all is well", "firing": "it fires", "keep": "it stays as it was"}


def tables() -> Mapping[str, str]:
    """Of every alert: what it means and what to do; and what it measures."""
    rows = (
        (f"`{each.name}`", each.meaning, _fires(each), each.remedy, f"`{each.command}`") for each in ALERTS.values()
    )
    measured = ((f"`{each.measure.name}`", each.measure.meaning, *_details(each)) for each in ALERTS.values())
    return {
        "alerts": table(("alert", "what it means", "it fires", "what to do", "looks closer"), rows),
        "alert metrics": table(
            ("metric", "what it is", "unit", "one for each", "`minimum` counts", "without data"), measured
        ),
    }


def _fires(alert: AlertDefault) -> str:
    bound = alert.threshold.says if isinstance(alert.threshold, FromPipeline) else f"{alert.threshold:,.10g}"
    lasts = f" for {alert.lasts.total_seconds():g} s" if alert.lasts > timedelta(0) else ""
    count = f", from {alert.minimum} {alert.measure.counts} on" if alert.minimum else ""
    return f"{alert.severity}: `{alert.measure.name}` {alert.side} {bound}{lasts}{count}"


def _details(alert: AlertDefault) -> tuple[str, ...]:
    measure = alert.measure
    return (
        measure.unit,
        measure.each or ("the stack" if measure.of_stack else "pipeline"),
        measure.counts or "nothing",
        _NO_DATA[alert.no_data],
    )


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
