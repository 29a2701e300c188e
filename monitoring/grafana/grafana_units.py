"""The units of declarations under Grafana's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contract.measurements import TEXT

KNOWN: Final[Mapping[str, str]] = {
    "s": "s",
    "bytes": "bytes",
    "bytes/s": "binBps",
    "s/s": "suffix:cores",
    "0 to 1": "none",
    "-1 to 1": "none",
    "0 to 4": "none",
    "1 or 0": "none",
    "1": "none",
    "expected / observed": "none",
    TEXT: "string",
}
SHARES: Final = ("0 to 1",)
"""Units that may be shown in percent."""


def unit_id(unit: str, as_percent: bool = False) -> str:
    """Grafana's name; a unit that it does not know, mostly what is counted, stands behind the number as it is.

    Raises:
        ValueError: it cannot be shown in percent.
    """
    if as_percent:
        if unit not in SHARES:
            raise ValueError(f"{unit} cannot be shown in percent")
        return "percentunit"
    return KNOWN.get(unit) or f"suffix:{unit}"
