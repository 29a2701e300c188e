"""docs/expressions.md says what the table says."""

from __future__ import annotations

from pathlib import Path

from streaming.expressions import expression_docs


def test_the_reference_is_current() -> None:
    page = Path(__file__).parents[3] / expression_docs.PLACE
    assert page.read_text() == expression_docs.reference(), "run: python -m streaming.expressions.expression_docs"
