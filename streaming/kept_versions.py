"""The table versions that kept candidates name: their files must stay."""

from __future__ import annotations

import json

from streaming.files import file_system
from streaming.pipeline import Pipeline
from streaming.places import Places


def kept_versions(places: Places, pipeline: Pipeline, url: str) -> set[int]:
    """The versions of the table at `url` in the manifests of the registry.

    Raises:
        OSError, ValueError: the registry cannot be read; then nothing may be removed.
    """
    files, root = file_system(places.registry(pipeline.name))
    if not files.exists(root):
        return set()
    manifests = [f"{folder}/manifest.json" for folder in files.ls(root, detail=False)]
    tables = [json.loads(files.cat_file(path))["table"] for path in manifests if files.exists(path)]
    return {int(table["version"]) for table in tables if table["path"] == url}
