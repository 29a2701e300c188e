"""Writes the dashboards and alert rules that are committed beside it: `python -m monitoring.grafana.write_files`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from contract.files import write_durably
from monitoring.grafana.all_dashboards import dashboards
from monitoring.grafana.grafana_rules import provisioned, rule_group

FOLDER: Final = Path(__file__).resolve().parent


def files() -> dict[Path, str]:
    """Every generated file by its path."""
    of_dashboards = {FOLDER / "dashboards" / f"{uid}.json": as_json(made) for uid, made in dashboards().items()}
    rules = {FOLDER / "alert_rules.json": rule_group(), FOLDER / "provisioning/alerting/hotpath.json": provisioned()}
    return of_dashboards | {path: as_json(made) for path, made in rules.items()}


def as_json(made: Any) -> str:
    """An object of the SDK as Grafana reads it."""
    return json.dumps(made, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, text.encode())
