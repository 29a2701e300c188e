"""Files and folders of Delta tables that no version needs any more, removed without Spark.

Spark's VACUUM starts ten thousand tasks to list a table, however small it is: for minutes nothing else runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from fsspec import AbstractFileSystem

from contract.records import OUTSIDE
from streaming.lake.delta_tables import add_actions, opened
from streaming.lake.filesystem import file_system


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


def remove_folders(url: str, column: str, before: int, written_before: datetime | None) -> int:
    """Remove the folders of partitions below `before` that the newest version lacks, once they are empty; how many.

    `written_before`: a file in them that is older goes too, since a killed batch has left it and nobody will commit it.
    """
    named = {int(value) for value in add_actions(url)[f"partition.{column}"].to_pylist()}
    files, root = file_system(url)
    oldest_s = written_before.timestamp() if written_before else 0.0
    dropped = [path for path in files.ls(root, detail=False) if OUTSIDE < _start(path, column, before) not in named]
    return sum(_cleared(files, path, oldest_s) for path in dropped)


def _start(path: str, column: str, before: int) -> int:
    """A partition's value from its folder's name; OUTSIDE for what is none, or not below `before`."""
    name, _, value = path.rpartition("/")[2].partition("=")
    return int(value) if name == column and value.isdecimal() and int(value) < before else OUTSIDE


def _cleared(files: AbstractFileSystem, folder: str, oldest_s: float) -> bool:
    """Whether the folder is gone. A writer may be about to put a file there: only an empty one is removed."""
    left = 0
    for entry in files.ls(folder, detail=True):
        if entry["type"] == "directory":
            left += not _cleared(files, entry["name"], oldest_s)
        elif files.modified(entry["name"]).timestamp() < oldest_s:
            files.rm(entry["name"])
        else:
            left += 1
    if not left:
        files.rmdir(folder)
    return not left


def _in_folder(files: AbstractFileSystem, folder: str, names: set[str]) -> list[str]:
    try:
        listed = files.ls(folder, detail=False)
    except FileNotFoundError:
        return []
    return [f"{folder}/{name}" for path in listed if (name := str(path).rpartition("/")[2]) in names]
