"""Keeps the tables of variables true: `python -m contract.environment_docs` writes them in docs and README anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from contract import variables
from contract.doc_tables import table, with_tables
from contract.environment import Variable

ROOT: Final = Path(__file__).resolve().parents[1]
_SHORT: Final = (
    variables.ONPREM_KAFKA,
    variables.CLOUD_KAFKA,
    variables.HDFS,
    variables.H2O,
    variables.SPARK_MASTER,
)
"""What README shows."""


def pages() -> Mapping[Path, Mapping[str, str]]:
    """Each page that holds such tables -> its tables."""
    groups = {f"variables: {group}": _whole(each) for group, each in variables.GROUPS.items()}
    short = table(("variable", "example"), ((f"`{each.name}`", f"`{each.example}`") for each in _SHORT))
    compose = "variables: compose"
    return {
        ROOT / "docs" / "compose.md": {compose: groups.pop(compose)},
        ROOT / "docs" / "operations.md": groups,
        ROOT / "README.md": {"variables: short": short},
    }


def _whole(group: tuple[Variable[Any], ...]) -> str:
    rows = ((f"`{each.name}`", each.meaning, _default(each), f"`{each.example}`", each.users) for each in group)
    return table(("variable", "meaning", "default", "example", "read by"), rows)


def _default(variable: Variable[Any]) -> str:
    value = variable.default
    if variable.default_in_words or value in (None, ()):
        return variable.default_in_words or "none"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    return f"`{value}`"


if __name__ == "__main__":
    for page, tables in pages().items():
        page.write_text(with_tables(page.read_text(encoding="utf-8"), tables), encoding="utf-8")
