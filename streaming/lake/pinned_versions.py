"""The table versions that kept candidates name: their files must stay."""

from __future__ import annotations

import json
from collections import defaultdict

from contract.layout import Places
from contract.pipeline import Pipeline
from streaming.lake.filesystem import file_system

KeptVersions = dict[str, set[int]]
"""A table's folder name (`rows-<hash>`) -> its versions."""


def kept_versions(places: Places, pipeline: Pipeline) -> KeptVersions:
    """What the manifests of the registry name, by folder: the file system's address may have changed since.

    Raises:
        OSError, ValueError: the registry cannot be read; then nothing may be removed.
    """
    files, root = file_system(places.registry(pipeline.name))
    kept: KeptVersions = defaultdict(set)
    if not files.exists(root):
        return kept
    manifests = [f"{folder}/manifest.json" for folder in files.ls(root, detail=False)]
    for path in filter(files.exists, manifests):
        table = json.loads(files.cat_file(path))["table"]
        kept[folder_of(table["path"])].add(int(table["version"]))
    return kept


def folder_of(url: str) -> str:
    """A table's folder name."""
    return url.rstrip("/").rpartition("/")[2]
