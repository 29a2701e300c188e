"""docs/expressions.md says what the table says."""

from __future__ import annotations

from pathlib import Path

from streaming.expressions import reference


def test_the_reference_is_current() -> None:
    page = Path(__file__).parents[3] / reference.PLACE
    assert page.read_text() == reference.reference(), "run: python -m streaming.expressions.reference"
