"""The documentation shows every variable as it is declared."""

from __future__ import annotations

import pytest

from contract import variables
from contract.doc_tables import with_tables
from contract.environment_docs import pages


def test_the_tables_of_variables_are_current() -> None:
    for page, tables in pages().items():
        text = page.read_text(encoding="utf-8")
        assert with_tables(text, tables) == text, "run python -m contract.environment_docs"


def test_every_variable_is_in_a_table() -> None:
    whole = "".join("".join(tables.values()) for tables in pages().values())
    assert not [name for name in variables.declared() if f"`{name}`" not in whole]


def test_a_page_without_the_marks_is_told_what_lacks() -> None:
    with pytest.raises(ValueError, match="put <!-- a --> and <!-- end of a --> there"):
        with_tables("no marks", {"a": ""})
