"""The files of a Delta table, each read once: a file never changes, so what was made of it stays true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from streaming.lake.delta_tables import opened
from streaming.lake.filesystem import file_system

BATCH_ROWS = 50_000
"""So many rows of a file are in memory at once, whatever its size."""

Made = TypeVar("Made")
Partition = dict[str, Any]
"""Partition column -> the file's value."""


@dataclass
class TableFiles(Generic[Made]):
    """What `make` made of each batch of the table's files."""

    url: str
    columns: Sequence[str]
    make: Callable[[pa.RecordBatch], Made]
    _version: int = -1
    _made: dict[str, list[Made]] = field(default_factory=dict)

    def refresh(self, wanted: Callable[[Partition], bool]) -> bool:
        """Read the wanted files that are new in the newest version, and forget the others; False without a new one.

        Raises:
            TableNotFoundError: there is no table.
            OSError: a file could not be read.
        """
        with opened(self.url) as table:
            version = table.version()
            if version == self._version:
                return False
            actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
        paths = [action["path"] for action in actions if wanted(_partition(action))]
        self._made = {path: self._made[path] if path in self._made else list(self._read(path)) for path in paths}
        self._version = version
        return True

    def made(self) -> list[Made]:
        """What was made of all files that are wanted now."""
        return [made for of_file in self._made.values() for made in of_file]

    def _read(self, path: str) -> Iterator[Made]:
        files, folder = file_system(self.url)
        with files.open(f"{folder}/{unquote(path)}", "rb") as file:
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=list(self.columns), use_threads=False):
                yield self.make(batch)


def _partition(action: dict[str, Any]) -> Partition:
    prefix = "partition."
    return {name.removeprefix(prefix): value for name, value in action.items() if name.startswith(prefix)}
