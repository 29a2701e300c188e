"""What it means that an answer equals H2O's: leaf of every tree and label equal, probability within 4 ulp."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

MAX_ULPS: Final = 4
"""H2O's `exp` is HotSpot's, ours the C library's: they differ in the last bit now and then."""


@dataclass(frozen=True)
class Difference:
    """The first thing in which an answer differs from H2O's."""

    what: str
    expected: object
    found: object

    def __str__(self) -> str:
        return f"{self.what}: H2O has {self.expected!r}, the bundle {self.found!r}"


def ulps_apart(a: float, b: float) -> float:
    """How many doubles lie between two probabilities; infinite where either is NaN."""
    if math.isnan(a) or math.isnan(b):
        return math.inf
    return abs(_ordinal(a) - _ordinal(b))


def probability_difference(expected: float, found: float) -> Difference | None:
    """None where they agree."""
    apart = ulps_apart(expected, found)
    return None if apart <= MAX_ULPS else Difference(f"probability ({apart} ulp apart)", expected, found)


def row_difference(row: dict[str, Any], probability: float, positive: bool, leaves: Sequence[int]) -> Difference | None:
    """The first difference between a reference row and what the bundle made of its features; None where none is."""
    for tree, (expected, found) in enumerate(zip(row["leaves"], leaves, strict=False)):
        if expected != found:
            return Difference(f"leaf of tree {tree}", expected, found)
    if len(row["leaves"]) != len(leaves):
        return Difference("number of trees", len(row["leaves"]), len(leaves))
    if row["positive"] != positive:
        return Difference("label", row["positive"], positive)
    return probability_difference(row["probability"], probability)


def _ordinal(x: float) -> int:
    """Doubles in order, numbered; -0.0 and 0.0 are both 0."""
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)
