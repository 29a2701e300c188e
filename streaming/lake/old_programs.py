"""Upkeep across programs: a changed file fills a `rows` table of its own; the old one goes when no candidate needs it.

Runs in the process that builds them: nothing is built into another program's table.
"""

from __future__ import annotations

import logging
from collections.abc import Container
from datetime import datetime, timedelta

from fsspec import AbstractFileSystem

from contract.layout import Places
from contract.pipeline import Pipeline
from streaming.lake.filesystem import file_system
from streaming.lake.pinned_versions import folder_of

log = logging.getLogger("upkeep")

LEFT_FOR = timedelta(hours=1)
"""A table stays for so long after its last commit: a run that trains on it writes its manifest last."""


def remove_old_programs(places: Places, pipeline: Pipeline, kept: Container[str], now: datetime) -> list[str]:
    """Remove the `rows` tables of other programs of the pipeline, but for the folders in `kept`; which went."""
    current = places.table(pipeline.name, f"rows-{pipeline.rows_hash}")
    files, root = file_system(current.rpartition("/")[0])
    if not files.exists(root):
        return []
    present = {folder_of(path): path for path in files.ls(root, detail=False)}
    others = {name: path for name, path in present.items() if name.startswith("rows-") and name != folder_of(current)}
    unneeded = {name: path for name, path in others.items() if name not in kept and _left(files, path, now)}
    for name, path in unneeded.items():
        files.rm(path, recursive=True)
        log.info("table removed, no candidate of its program is left pipeline=%s table=%s", pipeline.name, name)
    return sorted(unneeded)


def _left(files: AbstractFileSystem, path: str, now: datetime) -> bool:
    """Whether the last commit is long past. A folder without a log is what an interrupted removal left."""
    commits = f"{path}/_delta_log"
    last = files.modified(commits if files.exists(commits) else path)
    return bool(now.timestamp() - last.timestamp() > LEFT_FOR.total_seconds())
