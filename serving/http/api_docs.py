"""Keeps the tables in `docs/api.md` true: `python -m serving.http.api_docs docs/api.md` writes them anew."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from serving.prediction.answer import REASONS, WARNING_CODES, answer_fields
from serving.prediction.problems import DRAINING, TITLES


def with_tables(page: str) -> str:
    """The page with each table between `<!-- name -->` and `<!-- end of name -->` as the code has it now.

    Raises:
        ValueError: the page lacks a table's marks.
    """
    for name, table in _tables().items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        if begin not in page or end not in page:
            raise ValueError(f"the page has no place for the table of {name}: put {begin.strip()} and {end} there")
        before, _, rest = page.partition(begin)
        page = before + begin + table + end + rest.partition(end)[2]
    return page


def _tables() -> dict[str, str]:
    kinds = (*TITLES.items(), (503, DRAINING))
    errors = ((f"{status}", f"`urn:hotpath:problem:{urn}`", title) for status, (urn, title) in kinds)
    return {
        "fields": _table(("field", "type", "meaning"), ((f"`{n}`", t, m) for n, t, m in answer_fields())),
        "warnings": _table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in WARNING_CODES.items())),
        "reasons": _table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in REASONS.items())),
        "errors": _table(("status", "type", "meaning"), errors),
    }


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_tables(file.read_text()))
