"""The deployed pipelines: the files in `Places.pipelines`, read anew when one appears or changes."""

from __future__ import annotations

import logging
from pathlib import Path

from contract.layout import Places
from contract.pipeline import Pipeline
from streaming.pipeline_file.load import PipelineError, load

log = logging.getLogger("deployed")


class Deployed:
    """What a process serves. A file that does not load is left out and said once; what it was before stays."""

    def __init__(self, places: Places) -> None:
        self._folder = places.pipelines
        self._seen: dict[Path, int] = {}
        self._pipelines: dict[Path, Pipeline] = {}

    def pipelines(self) -> list[Pipeline]:
        """The pipelines of now, by name."""
        files = {path: path.stat().st_mtime_ns for path in sorted(self._folder.glob("*.toml"))}
        for path, changed in files.items():
            if self._seen.get(path) != changed:
                self._take_up(path)
        self._seen = files
        self._pipelines = {path: pipeline for path, pipeline in self._pipelines.items() if path in files}
        return sorted(self._pipelines.values(), key=lambda pipeline: pipeline.name)

    def _take_up(self, path: Path) -> None:
        try:
            self._pipelines[path] = load(path)
        except PipelineError as error:
            log.error("%s is not taken up: %s", path, error)
