"""Rows that are meant to find every difference: missing, unseen, extreme, on a threshold and beside it."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from tests.integration.flights_for_h2o import TYPES

_DOUBLES = (
    *(-0.0, 0.0, 5e-324, -5e-324, 1e-46, -1e-46, 1e-38, 1.0, -1.0, 0.1, 0.10000000149011612, 1 / 3),
    *(16_777_216.0, 16_777_217.0, 3.4028234663852886e38, 3.5e38, -3.5e38, 1e300, -1e300, math.inf, -math.inf, math.nan),
)
_INTS = (0, 1, -1, 2**24 + 1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), -(2**63) + 1)
_TEXTS = ("", " ", "unseen", "NA", "null", "nan", "é", "\ufffd", "True", "0", "1")
_BESIDE = (-(2**-26), 0.0, 2**-26)
"""A share of a threshold, a float. The nearest float is still the threshold, but the double lies beside it."""


def hostile_rows(
    rows: Sequence[Mapping[str, Any]], thresholds: Mapping[str, Sequence[float]], seed: int
) -> list[dict[str, Any]]:
    """Each row with some of its features replaced; `thresholds` has, by feature, numbers that a model splits at."""
    chance = random.Random(seed)
    return [_hostile(row, thresholds, chance) for row in rows]


def _hostile(
    row: Mapping[str, Any], thresholds: Mapping[str, Sequence[float]], chance: random.Random
) -> dict[str, Any]:
    share = chance.choice((0.0, 0.1, 0.3, 0.9))
    return dict(row) | {
        name: _value(kind, thresholds.get(name, ()), chance) for name, kind in TYPES.items() if chance.random() < share
    }


def _value(kind: str, thresholds: Sequence[float], chance: random.Random) -> Any:
    if chance.random() < 0.2:
        return None
    match kind:
        case "boolean":
            return chance.random() < 0.5
        case "string":
            return chance.choice(_TEXTS)
        case "int":
            near = [math.floor(each) for each in thresholds if abs(each) < 2**62]
            return (
                chance.choice(near) + chance.choice((-1, 0, 1))
                if near and chance.random() < 0.7
                else chance.choice(_INTS)
            )
        case _:
            on = thresholds and chance.random() < 0.7
            return _beside(chance.choice(thresholds), chance) if on else chance.choice(_DOUBLES)


def _beside(threshold: float, chance: random.Random) -> float:
    """A threshold, or a double a little before or after it."""
    return threshold * (1 + chance.choice(_BESIDE))
