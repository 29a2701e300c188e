"""Tables in the documentation that the code makes: each stands between `<!-- name -->` and `<!-- end of name -->`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """The page with each of these tables as it is given here.

    Raises:
        ValueError: the page lacks a table's marks.
    """
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        if begin not in page or end not in page:
            raise ValueError(f"the page has no place for the table of {name}: put {begin.strip()} and {end} there")
        before, _, rest = page.partition(begin)
        page = before + begin + table + end + rest.partition(end)[2]
    return page


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
