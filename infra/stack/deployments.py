"""Deploying a pipeline file: a copy in the data folder, which every process reads, and the address where it answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contract.files import write_durably
from contract.pipeline import Pipeline
from infra.ports import Ports
from infra.settings import Settings
from streaming.pipeline_file.load import load


@dataclass(frozen=True)
class Deployment:
    """A deployed pipeline: the copy at `path`, and the file that it was copied from."""

    pipeline: Pipeline
    path: Path
    source: Path | None


def deployments(settings: Settings) -> list[Deployment]:
    """All that are deployed, by name.

    Raises:
        PipelineError: a deployed file is not valid in this version.
    """
    return [_deployment(path) for path in sorted(settings.pipelines.glob("*.toml"))]


def deployment(settings: Settings, name: str) -> Deployment | None:
    """The pipeline of this name that is deployed, or was until it was removed; its data is still there."""
    paths = (settings.folder.pipeline_file(name), settings.folder.removed_file(name))
    return next((_deployment(path) for path in paths if path.exists()), None)


def removed(settings: Settings) -> list[Deployment]:
    """The pipelines that `hotpath remove` has stopped and whose data is still there, by name."""
    return [_deployment(path) for path in sorted(settings.folder.removed_pipelines.glob("*.toml"))]


def vanished(settings: Settings, deployed: Iterable[Deployment]) -> list[str]:
    """The names of those deployed pipelines whose file is no longer there, although nobody removed them."""
    return [each.pipeline.name for each in deployed if not each.path.exists()]


def deploy(settings: Settings, ports: Ports, source: Path, pipeline: Pipeline) -> Deployment:
    """Copy a checked file into the data folder, whole or not at all; its address first: readers look for the file."""
    folder, path = settings.folder, settings.folder.pipeline_file(pipeline.name)
    address = ports.listens_at(f"scorer:{pipeline.name}")
    write_durably(folder.pipeline_address(pipeline.name), f"{address}\n".encode())
    write_durably(folder.pipeline_source(pipeline.name), json.dumps({"source": str(source.absolute())}).encode())
    write_durably(path, source.read_bytes())
    for file in folder.files_of_deployment(pipeline.name):
        (folder.removed_pipelines / file.name).unlink(missing_ok=True)
    folder.reset_mark(pipeline.name).unlink(missing_ok=True)
    return Deployment(pipeline, path, source.absolute())


def take_back(settings: Settings, name: str) -> None:
    """The opposite of `deploy`: the pipeline's file goes to those that are removed, last of its files."""
    folder = settings.folder
    folder.removed_pipelines.mkdir(parents=True, exist_ok=True)
    for file in reversed(folder.files_of_deployment(name)):
        if file.exists():
            write_durably(folder.removed_pipelines / file.name, file.read_bytes())
    for file in folder.files_of_deployment(name):
        file.unlink(missing_ok=True)


def _deployment(path: Path) -> Deployment:
    file = path.with_name(f"{path.stem}.source.json")
    source = Path(json.loads(file.read_text())["source"]) if file.exists() else None
    return Deployment(load(path), path, source)
