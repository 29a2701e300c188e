"""Deploying a pipeline file: a copy in the data folder, which every process reads, and the address where it answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from contract.files import write_durably
from contract.pipeline import Pipeline
from contract.state_file import read_state
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.preflight import Unfit
from streaming.pipeline_file.load import PipelineError, load


@dataclass(frozen=True)
class Deployment:
    """A deployed pipeline: the copy at `path`, and the file that it was copied from."""

    pipeline: Pipeline
    path: Path
    source: Path | None


class Source(msgspec.Struct, frozen=True):
    """The note beside a deployed file."""

    source: str


class DeploymentUnreadable(Unfit):
    """A deployed file does not load; the message names it and the remedy."""


class NoSuchPipeline(Unfit):
    """Nobody has deployed a pipeline of this name."""

    def __init__(self, name: str, there: Iterable[str]) -> None:
        super().__init__(f"there is no pipeline {name}; there are: {', '.join(sorted(there)) or 'none'}")


def deployments(settings: Settings) -> list[Deployment]:
    """All that are deployed and load, by name; what does not load holds up no other, see `unreadable`."""
    return _that_load(settings.pipelines)


def unreadable(settings: Settings) -> list[str]:
    """Of each file, deployed or removed, that does not load: which, why, and what to do."""
    found = []
    for path in (*_files(settings.pipelines), *_files(settings.folder.removed_pipelines)):
        try:
            _deployment(path)
        except DeploymentUnreadable as error:
            found.append(str(error))
    return found


def deployment(settings: Settings, name: str) -> Deployment | None:
    """The pipeline of this name that is deployed, or was until it was removed; its data is still there.

    Raises:
        DeploymentUnreadable: its file does not load.
    """
    paths = (settings.folder.pipeline_file(name), settings.folder.removed_file(name))
    return next((_deployment(path) for path in paths if path.exists()), None)


def removed(settings: Settings) -> list[Deployment]:
    """The pipelines that `hotpath remove` has stopped and whose data is still there, by name."""
    return _that_load(settings.folder.removed_pipelines)


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


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _that_load(folder: Path) -> list[Deployment]:
    found = []
    for path in _files(folder):
        with suppress(DeploymentUnreadable):
            found.append(_deployment(path))
    return found


def _deployment(path: Path) -> Deployment:
    try:
        return Deployment(load(path), path, _source(path.with_name(f"{path.stem}.source.json")))
    except (PipelineError, OSError) as error:
        why = str(error) if isinstance(error, PipelineError) else f"{path}: {error.strerror or error}"
        remedy = f"deploy it again with `hotpath up FILE`, or stop it with `hotpath remove {path.stem}`"
        raise DeploymentUnreadable(f"a deployed file does not load: {why}; {remedy}") from error


def _source(note: Path) -> Path | None:
    """The file that was deployed, where that was noted; it only tells where a replay may lie."""
    noted = read_state(note, Source, "a replay beside the deployed file is not looked for")
    return Path(noted.source) if noted else None
