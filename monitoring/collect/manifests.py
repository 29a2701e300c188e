"""The manifests of the newest candidates, from the registry. A candidate never changes, so each is read once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from contract import metrics
from contract.layout import Places
from contract.manifest import MANIFEST, BadManifest, Manifest, is_version, read_manifest
from streaming.lake.filesystem import file_system

NEWEST: Final = 12
log = logging.getLogger("monitor")


class ManifestReader:
    """Of one pipeline."""

    def __init__(self, places: Places, pipeline: str) -> None:
        self._registry = places.registry(pipeline)
        self._read: dict[str, Manifest | None] = {}
        """None: it does not read, which is said once."""

    def newest(self) -> Mapping[str, Manifest]:
        """By version, the newest last; a candidate that is not complete yet is read later.

        Raises:
            OSError: HDFS does not answer.
        """
        files, path = file_system(self._registry)
        if not files.exists(path):
            return {}
        names = (entry["name"].rstrip("/").rpartition("/")[2] for entry in files.ls(path, detail=True))
        versions = sorted(name for name in names if is_version(name))[-NEWEST:]
        self._read = {version: self._read[version] for version in versions if version in self._read}
        for version in versions:
            if version not in self._read:
                self._take(version)
        return {version: found for version, found in sorted(self._read.items()) if found is not None}

    def _take(self, version: str) -> None:
        files, path = file_system(f"{self._registry}/{version}/{MANIFEST}")
        try:
            self._read[version] = read_manifest(files.cat_file(path), version)
        except FileNotFoundError:
            return
        except BadManifest as error:
            metrics.PROBLEMS.labels(part="monitor").inc()
            log.warning("manifest does not read version=%s reason=%r", version, str(error))
            self._read[version] = None
