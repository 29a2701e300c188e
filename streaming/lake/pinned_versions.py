"""The table versions that kept candidates name: their files must stay."""

from __future__ import annotations

from collections import defaultdict

from contract.layout import Places
from contract.manifest import MANIFEST, BadManifest, read_manifest
from contract.pipeline import Pipeline
from streaming.lake.filesystem import file_system

KeptVersions = dict[str, set[int]]
"""A table's folder name (`rows-<hash>`) -> its versions."""


class UnknownVersions(ValueError):
    """A manifest does not read, so the version that it names is not known; the message says where it is."""


def kept_versions(places: Places, pipeline: Pipeline) -> KeptVersions:
    """What the manifests of the registry name, by folder: the file system's address may have changed since.

    Raises:
        UnknownVersions: a manifest does not read; then no version of any table may go.
        OSError: the registry cannot be read; the same holds.
    """
    registry = places.registry(pipeline.name)
    files, root = file_system(registry)
    kept: KeptVersions = defaultdict(set)
    if not files.exists(root):
        return kept
    manifests = [f"{folder}/{MANIFEST}" for folder in files.ls(root, detail=False)]
    for path in filter(files.exists, manifests):
        try:
            table = read_manifest(files.cat_file(path)).table
        except BadManifest as error:
            version = path.rsplit("/", 2)[-2]
            raise UnknownVersions(f"{registry}/{version}: {error}; remove that folder once it is looked at") from error
        kept[folder_of(table.path)].add(table.version)
    return kept


def folder_of(url: str) -> str:
    """A table's folder name."""
    return url.rstrip("/").rpartition("/")[2]
