"""What the records promise to those who read them."""

from __future__ import annotations

from pathlib import Path

from contract.records import DEAD_LETTER_REASONS, PREDICTION, PREDICTION_REQUIRED

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_every_reason_of_a_dead_letter_is_explained() -> None:
    page = OPERATIONS.read_text(encoding="utf-8")
    assert [reason for reason in DEAD_LETTER_REASONS if f"| `{reason}` |" not in page] == []


def test_what_a_prediction_may_not_lack_is_among_its_fields() -> None:
    assert set(PREDICTION_REQUIRED) <= PREDICTION.keys()
