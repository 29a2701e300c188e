"""Deploying a pipeline file: a copy in the data folder, which every process reads, and the address where it answers."""

from __future__ import annotations

import json
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
    """The deployed pipeline of this name, if there is one."""
    path = settings.folder.pipeline_file(name)
    return _deployment(path) if path.exists() else None


def deploy(settings: Settings, ports: Ports, source: Path, pipeline: Pipeline) -> Deployment:
    """Copy a checked file into the data folder, whole or not at all; its address first: readers look for the file."""
    folder, path = settings.folder, settings.folder.pipeline_file(pipeline.name)
    address = ports.listens_at(f"scorer:{pipeline.name}")
    write_durably(folder.pipeline_address(pipeline.name), f"{address}\n".encode())
    write_durably(folder.pipeline_source(pipeline.name), json.dumps({"source": str(source.absolute())}).encode())
    write_durably(path, source.read_bytes())
    return Deployment(pipeline, path, source.absolute())


def _deployment(path: Path) -> Deployment:
    file = path.with_name(f"{path.stem}.source.json")
    source = Path(json.loads(file.read_text())["source"]) if file.exists() else None
    return Deployment(load(path), path, source)
