"""Keeps the tables in `docs/api.md` true: `python -m serving.http.api_docs docs/api.md` writes them anew."""

from __future__ import annotations

import sys
from pathlib import Path

from contract.doc_tables import table, with_tables
from serving.prediction.answer import REASONS, WARNING_CODES, answer_fields
from serving.prediction.problems import DRAINING, TITLES


def with_current_tables(page: str) -> str:
    """The page with each table as the code has it now.

    Raises:
        ValueError: the page lacks a table's marks.
    """
    return with_tables(page, _tables())


def _tables() -> dict[str, str]:
    kinds = (*TITLES.items(), (503, DRAINING))
    errors = ((f"{status}", f"`urn:hotpath:problem:{urn}`", title) for status, (urn, title) in kinds)
    return {
        "fields": table(("field", "type", "meaning"), ((f"`{n}`", t, m) for n, t, m in answer_fields())),
        "warnings": table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in WARNING_CODES.items())),
        "reasons": table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in REASONS.items())),
        "errors": table(("status", "type", "meaning"), errors),
    }


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_current_tables(file.read_text()))
