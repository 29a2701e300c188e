"""One compose project for all tests of containers, in the order of their files; it ends with them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract import variables
from contract.environment import Environment
from infra.stack.announce import event_of_now
from infra.stack.part_environment import EXAMPLE
from streaming.pipeline_file.load import load as load_pipeline
from tests.containers import stand_ins
from tests.containers.compose_project import Caller, Project, wait_for
from tests.containers.docker_events import KilledForMemory


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Images are built, nothing runs."""
    influxd = Environment().get(variables.INFLUXD)
    assert influxd, "hotpath test names the one that it has built"
    stand_ins.make(Path(influxd))
    project = Project(tmp_path_factory.mktemp("pipelines"))
    project.pipelines.chmod(0o755)
    shutil.copy(EXAMPLE, project.pipelines)
    project.down()
    project.build()
    yield project
    project.down()


@pytest.fixture(scope="session")
def killed_for_memory() -> Iterator[KilledForMemory]:
    """From the first start on."""
    with KilledForMemory() as events:
        yield events


@pytest.fixture(scope="session")
def caller(project: Project, killed_for_memory: KilledForMemory) -> Caller:
    """Once a trained model answers."""
    began = time.monotonic()
    project.up()
    print(f"\nevery container is healthy after {time.monotonic() - began:.0f} s")
    event = event_of_now(load_pipeline(EXAMPLE), datetime.now(UTC))
    caller = Caller(project, json.dumps(event, default=str).encode())
    wait_for(lambda: caller.model() is not None, 1200, "a trained model answers")
    print(f"the first answer by a trained model after {time.monotonic() - began:.0f} s")
    return caller
