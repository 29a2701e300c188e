"""What it means that an answer equals H2O's: leaf of every tree and label equal, probability within a few ulp.

A probability is a double, and may be 4 doubles away from H2O's. XGBoost's is a float, and may be 2 floats away: leaves
are added as floats in the order of the trees on both sides, so that only the exponential can differ. Its last bit as a
double seldom decides how it is rounded to a float; where it does, the exponential is one float off, and the quotient
that makes the probability of it at most two.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

MAX_ULPS: Final = 4
"""H2O's `exp` is HotSpot's, ours the C library's: they differ in the last bit now and then."""
MAX_FLOAT_ULPS: Final = 2
"""Of probabilities that are floats on both sides: XGBoost's, and by chance hardly ever another algorithm's."""


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


def float_ulps_apart(a: float, b: float) -> float:
    """How many floats lie between two numbers that both are floats; infinite where one is none."""
    if not all(_is_float(each) for each in (a, b)):
        return math.inf
    return ulps_apart(a, b) / _DOUBLES_A_FLOAT


def probability_difference(expected: float, found: float) -> Difference | None:
    """None where they agree."""
    apart = ulps_apart(expected, found)
    if apart <= MAX_ULPS or float_ulps_apart(expected, found) <= MAX_FLOAT_ULPS:
        return None
    return Difference(f"probability ({apart} ulp apart)", expected, found)


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


_DOUBLES_A_FLOAT: Final = 2**29
"""So many doubles lie between a float and the next, but for the smallest floats, between which there are more."""


def _is_float(x: float) -> bool:
    return math.isfinite(x) and abs(x) <= 1 and bool(struct.unpack("<f", struct.pack("<f", x))[0] == x)


def _ordinal(x: float) -> int:
    """Doubles in order, numbered; -0.0 and 0.0 are both 0."""
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)
