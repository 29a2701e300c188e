"""Figures and names as sentences show them."""

from __future__ import annotations

from datetime import timedelta


def in_words(seconds: float) -> str:
    """A duration: seconds up to two minutes, minutes up to two hours, then days and hours."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return str(timedelta(seconds=round(seconds / 60) * 60)).removesuffix(":00") + " h"


def printable(name: str) -> str:
    """A name that a producer chose, without the control characters that it may hold, and not longer than a line."""
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in name)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
