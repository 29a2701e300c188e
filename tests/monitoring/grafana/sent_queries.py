"""Every query of the committed dashboards and rules, as Grafana would send it: its macros and variables replaced.

The macros are replaced as Grafana's own source does it (pkg/tsdb/influxdb/flux/macros.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from monitoring.grafana.write_files import FOLDER

WINDOW: Final = "20s"
"""What an hour on a screen of 200 points makes of `v.windowPeriod`."""


@dataclass(frozen=True)
class Sent:
    """One query. `panel` is the panel's JSON; None of a variable, an annotation or a rule."""

    of: str
    flux: str
    panel: Mapping[str, Any] | None = None

    def replaced(self, bucket: str, now: datetime, values: Mapping[str, Sequence[str]], hours: float = 1.0) -> str:
        """The text that reaches InfluxDB; a variable without chosen values stands for all of them, as `All` does."""
        text = _with_variables(self.flux, values)
        macros = {
            "timeRangeStart": _rfc3339(now - timedelta(hours=hours)),
            "timeRangeStop": _rfc3339(now),
            "windowPeriod": WINDOW,
            "defaultBucket": json.dumps(bucket),
        }
        for name in set(re.findall(r"\bv\.([a-zA-Z]+)", text)):
            text = text.replace(f"v.{name}", macros[name])
        return text


def dashboards() -> dict[str, dict[str, Any]]:
    """The committed ones by uid."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "dashboards").glob("*.json"))}


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Without headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def of_dashboards() -> Iterator[Sent]:
    for uid, dashboard in dashboards().items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield Sent(f"{uid}: {panel['title']}: {target['refId']}", target["query"], panel)
        for variable in dashboard["templating"]["list"]:
            yield Sent(f"{uid}: variable {variable['name']}", variable["query"])
        for annotation in dashboard["annotations"]["list"]:
            yield Sent(f"{uid}: annotation {annotation['name']}", annotation["target"]["query"])


def of_rules() -> Iterator[Sent]:
    rules = json.loads((FOLDER / "alert_rules.json").read_text("utf-8"))["rules"]
    for rule in rules:
        yield Sent(f"rule {rule['title']}", rule["data"][0]["model"]["query"])


def measurement_of(flux: str) -> str:
    """The one measurement that a query reads."""
    (name,) = set(re.findall(r'r\._measurement == "([^"]+)"', flux))
    return str(name)


def fields_of(flux: str) -> list[str]:
    return re.findall(r'r\._field == "([^"]+)"', flux)


def _with_variables(flux: str, values: Mapping[str, Sequence[str]]) -> str:
    def chosen(found: re.Match[str]) -> str:
        name, form = found.groups()
        if form == "regex":
            return "|".join(re.escape(value) for value in values.get(name, ())) or ".*"
        return ",".join(json.dumps(value) for value in values[name])

    return re.sub(r"\$\{(\w+):(\w+)\}", chosen, flux)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
