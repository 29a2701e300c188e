"""The manifests of the candidates on this host, each read once: a complete candidate never changes."""

from __future__ import annotations

import logging
from pathlib import Path

from contract.manifest import MANIFEST, BadManifest, Manifest, read_manifest

log = logging.getLogger("rollout")


class LocalManifests:
    """What `candidates/*/manifest.json` says, and why where one does not read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Manifest | BadManifest] = {}
        self._failed: set[str] = set()

    def refresh(self) -> None:
        """Read what is new and forget what has gone. A file that cannot be read now is tried at the next call."""
        here = {path.parent.name: path for path in self._folder.glob(f"*/{MANIFEST}")}
        known = {version: self._read.get(version) or self._opened(version, path) for version, path in here.items()}
        self._read = {version: found for version, found in known.items() if found is not None}

    @property
    def versions(self) -> tuple[str, ...]:
        """The complete candidates, oldest first."""
        return tuple(sorted(self._read))

    @property
    def good(self) -> dict[str, Manifest]:
        return {version: found for version, found in self._read.items() if isinstance(found, Manifest)}

    @property
    def unreadable(self) -> dict[str, str]:
        """Version -> why its manifest does not read."""
        return {version: str(found) for version, found in self._read.items() if isinstance(found, BadManifest)}

    def _opened(self, version: str, path: Path) -> Manifest | BadManifest | None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # pull has dropped the candidate meanwhile
            return None
        except OSError as error:
            if version not in self._failed:
                log.error("manifest cannot be read now, trying again version=%s why=%r", version, str(error))
            self._failed.add(version)
            return None
        self._failed.discard(version)
        try:
            return read_manifest(content, version)
        except BadManifest as error:
            return error
