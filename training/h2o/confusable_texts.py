"""Texts that H2O (3.46) cannot tell apart, and an import without them.

H2O writes a categorical text that holds U+FFFD, the replacement character, as the hexadecimal digits of its bytes:
`<0xEFBFBD>`. Where another row holds those very digits as its text, it finds two levels of one name and refuses the
whole import. The rows with a U+FFFD are then left out: the scorer takes such a text for the level of that name, as H2O
does.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import h2o
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from streaming.lake.filesystem import file_system

_REFUSED: Final = "Error in unifying categorical values"
_REPLACEMENT: Final = "\ufffd"
log = logging.getLogger("trainer")


def is_refusal_of_texts(error: Exception) -> bool:
    """Whether H2O refused an import since two texts are the same to it."""
    return _REFUSED in str(error)


def raw_keys_without_replaced(files: Sequence[str], columns: Collection[str], own: str) -> list[Any]:
    """What H2O can parse instead of these files: those with a U+FFFD are uploaded without the rows that hold it."""
    clean, keys, left_out = [], [], 0
    for number, url in enumerate(files):
        table = _replaced_rows_in(url, columns)
        if table is None:
            clean.append(url)
        else:
            kept = table.filter(pc.invert(_holds_replacement(table)))
            left_out += table.num_rows - kept.num_rows
            keys += list(_uploaded(kept, f"{own}.upload{number}"))
    log.warning("rows left out, H2O takes a text of theirs for another one rows=%d files=%d", left_out, len(keys))
    return [*(h2o.lazy_import(clean) if clean else []), *keys]


def _replaced_rows_in(url: str, columns: Collection[str]) -> pa.Table | None:
    """The file's columns; None where no text holds a U+FFFD."""
    files, path = file_system(url)
    with files.open(path, "rb") as source:
        table = pq.read_table(source, columns=list(columns))
    return table if pc.any(_holds_replacement(table)).as_py() else None


def _holds_replacement(table: pa.Table) -> pa.Array:
    """By row: whether a text in it holds a U+FFFD."""
    found = pa.array([False] * table.num_rows)
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            holds = pc.fill_null(pc.match_substring(column, _REPLACEMENT), False)
            found = pc.or_(found, holds.combine_chunks())
    return found


def _uploaded(table: pa.Table, key: str) -> Iterator[str]:
    """The key of the rows in H2O; none where there are none."""
    if not table.num_rows:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        pq.write_table(table, file)
        yield h2o.api(f"POST /3/PostFile?destination_frame={key}", filename=str(file))["destination_frame"]
