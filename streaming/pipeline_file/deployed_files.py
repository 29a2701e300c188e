"""The deployed pipelines: the files in `Places.pipelines`, read anew when one appears or changes."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from contract.layout import Places
from contract.pipeline import Pipeline
from streaming.pipeline_file.load import PipelineError, load

log = logging.getLogger("deployed")


class Deployed:
    """What a process serves.

    A file that does not load, for whatever reason, is left out and said once; what it was before stays. So does the
    pipeline of a file that has vanished: only `hotpath remove` ends one, by moving its file into the folder of removed
    ones.
    """

    def __init__(self, places: Places) -> None:
        self._folder = places.folder
        self._seen: dict[Path, int] = {}
        self._pipelines: dict[Path, Pipeline] = {}
        self._vanished: set[Path] = set()
        self.unreadable: dict[Path, str] = {}
        """The files that do not load, each with the reason."""

    def pipelines(self) -> list[Pipeline]:
        """The pipelines of now, by name."""
        files = {path: _changed_ns(path) for path in sorted(self._folder.pipelines.glob("*.toml"))}
        for path, changed in files.items():
            if self._seen.get(path) != changed or path in self.unreadable:
                self._take_up(path)
        self._seen = files
        self.unreadable = {path: why for path, why in self.unreadable.items() if path in files}
        self._miss(files.keys())
        return sorted(self._pipelines.values(), key=lambda pipeline: pipeline.name)

    def _take_up(self, path: Path) -> None:
        try:
            self._pipelines[path] = load(path)
            self.unreadable.pop(path, None)
        except (PipelineError, OSError) as error:
            if self.unreadable.get(path) != str(error):
                log.error("pipeline file is not taken up file=%s: %s", path, error)
            self.unreadable[path] = str(error)

    def _miss(self, files: Collection[Path]) -> None:
        """Forget what was removed; go on with what has merely vanished, and say so once."""
        missing = {path for path in self._pipelines if path not in files}
        removed = {path for path in missing if self._folder.was_removed(path.stem)}
        for path in removed:
            log.info("pipeline is removed pipeline=%s", path.stem)
            del self._pipelines[path]
        for path in missing - removed - self._vanished:
            log.error("pipeline file has vanished, going on with what it said file=%s", path)
        self._vanished = missing - removed


def _changed_ns(path: Path) -> int:
    """When the file was last changed; 0 of one that cannot be looked at, which does not load either."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
