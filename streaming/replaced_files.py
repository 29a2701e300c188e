"""Files of Delta tables that no version needs any more, removed without Spark.

Spark's VACUUM starts ten thousand tasks to list a table, however small it is: for minutes nothing else runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from fsspec import AbstractFileSystem

from streaming.delta import opened
from streaming.files import file_system


def remove_replaced(url: str, before: datetime) -> int:
    """Remove the files that had been replaced by then; how many. The table's log must remember them."""
    with opened(url) as table:
        table.load_as_version(before)
        replaced = table.vacuum(0, dry_run=True, enforce_retention_duration=False)
    return remove_files(url, replaced)


def remove_files(url: str, paths: Iterable[str]) -> int:
    """Remove those that are still there, of paths within the table's folder; how many. One listing for each folder."""
    files, root = file_system(url)
    by_folder = defaultdict(set)
    for path in paths:
        folder, _, name = path.rpartition("/")
        by_folder[f"{root}/{folder}"].add(name)
    there = [path for folder, names in by_folder.items() for path in _in_folder(files, folder, names)]
    for path in there:
        files.rm(path)
    return len(there)


def _in_folder(files: AbstractFileSystem, folder: str, names: set[str]) -> list[str]:
    try:
        listed = files.ls(folder, detail=False)
    except FileNotFoundError:
        return []
    return [f"{folder}/{name}" for path in listed if (name := str(path).rpartition("/")[2]) in names]
