"""The supervisor's notes: small files that it replaces whole. What the disk refuses is written when it can be."""

from __future__ import annotations

import logging
from pathlib import Path

from contract.files import write_durably

log = logging.getLogger("supervisor")


class Notes:
    """Writes and removes files, and never raises for a disk that refuses: `retry` tries again what is open."""

    def __init__(self) -> None:
        self._open: dict[Path, bytes | None] = {}
        """What could not be written yet; None: the file is to be removed."""
        self._refused: dict[Path, str] = {}
        self.failures = 0
        """How many writes the disk has refused."""

    def write(self, path: Path, content: bytes) -> None:
        """Replace the file, now or later."""
        self._try(path, content)

    def remove(self, path: Path) -> None:
        """Remove the file, now or later."""
        self._try(path, None)

    def retry(self) -> None:
        """Write what could not be written before."""
        for path, content in list(self._open.items()):
            self._try(path, content)

    def problems(self) -> list[str]:
        """Of each file that is not as it should be one sentence."""
        return [f"the supervisor cannot write {path}: {why}" for path, why in self._refused.items()]

    def _try(self, path: Path, content: bytes | None) -> None:
        try:
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_durably(path, content)
        except OSError as error:
            self._note(path, content, error)
            return
        self._open.pop(path, None)
        if self._refused.pop(path, None):
            log.warning("note can be written again path=%s", path)

    def _note(self, path: Path, content: bytes | None, error: OSError) -> None:
        self.failures += 1
        if path not in self._refused:
            log.error("note cannot be written, trying again until it can path=%s: %s", path, error)
        self._open[path], self._refused[path] = content, error.strerror or str(error)
