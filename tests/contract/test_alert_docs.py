"""The operations page shows every alert as the catalogue has it."""

from __future__ import annotations

from contract.alert_catalogue import ALERTS, FIGURE_WORDS
from contract.alert_docs import PAGE, tables
from contract.doc_tables import with_tables
from contract.measurements import FIGURES


def test_the_tables_of_alerts_are_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text, tables()) == text, "run python -m contract.alert_docs"


def test_every_alert_is_in_the_table_with_its_remedy() -> None:
    table = tables()["alerts"]
    assert [name for name, alert in ALERTS.items() if f"| `{name}` |" not in table or alert.remedy not in table] == []


def test_every_realised_figure_has_an_alert_and_words() -> None:
    assert FIGURE_WORDS.keys() == FIGURES.keys()
    assert FIGURES.keys() <= ALERTS.keys()
