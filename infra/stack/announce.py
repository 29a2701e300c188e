"""What `up` tells the person in front of it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract.files import write_durably
from contract.messages.model_states import ModelState
from contract.pipeline import Pipeline, Type
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.deployments import Deployment
from infra.stack.first_key import first_key
from infra.supervisor.readiness import answers
from infra.supervisor.service import Service
from serving.candidates.state_store import ModelsError, read_states

if TYPE_CHECKING:
    from infra.supervisor.supervisor import Supervisor

log = logging.getLogger("announce")


def say(text: str) -> None:
    """One line on stdout, at once."""
    print(text, flush=True)


def tell(text: str) -> None:
    """`say` of a stack that runs: it goes on when nobody takes the line, as a full disk under a file of its output."""
    try:
        say(text)
    except OSError as error:
        log.warning("could not be told: %s: %s", error, text)


class Announcer:
    """Tells parts as they become ready, the page, and each pipeline's first model with a line to ask it."""

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self._settings, self._ports = settings, ports
        self._began = time.monotonic()

    def ready(self, part: Service) -> None:
        tell(f"{self._elapsed()}  {part.name:<16} ready  {part.address}")

    async def whole(self, supervisor: Supervisor) -> None:
        """When every part is ready."""
        while not all(supervisor.is_ready(name) for name in supervisor.names()):
            await asyncio.sleep(0.5)
        tell(
            f"{self._elapsed()}  everything is ready. Ctrl-C stops it; `hotpath status` and `logs PART -f` look closer"
        )
        tell(f"           status page  http://{self._ports.address('page')}")

    async def first_model(self, deployment: Deployment) -> None:
        """When the pipeline has its first champion: its AUC and a `curl` line."""
        name = deployment.pipeline.name
        model = await self._champion(name)
        auc = f", AUC {model.auc:.3f}" if model.auc is not None else ""
        address, key = (
            self._ports.address(f"scorer:{name}"),
            first_key(self._settings.environment, self._settings.folder.keys),
        )
        while not await asyncio.to_thread(answers, address, "/health/ready"):
            await asyncio.sleep(0.2)
        tell(f"{self._elapsed()}  {name} answers with {model.version}{auc}. Ask it:")
        tell(
            f"  curl -s http://{address}/v1/pipelines/{name}/predict -H 'Authorization: Bearer {key}' "
            f"-H 'Content-Type: application/json' -d @{await self._example_body(deployment)}"
        )
        tell("  (the times in that file are of now: an hour later the answer warns that they are out of range)")

    async def _example_body(self, deployment: Deployment) -> str:
        """The file with the example; a disk that refuses it is waited for."""
        while True:
            try:
                return example_body(self._settings, deployment)
            except OSError as error:
                log.warning("example cannot be written, trying again: %s", error)
                await asyncio.sleep(2)

    async def _champion(self, name: str) -> ModelState:
        while True:
            try:
                model = read_states(self._settings.folder.of_pipeline(name)).champion()
            except ModelsError:
                model = None  # the rollout says so in its log
            if model:
                return model
            await asyncio.sleep(0.5)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:8.1f} s"


def example_body(settings: Settings, deployment: Deployment) -> str:
    """A file with the first example's event, its times moved to now; callers replace it by their own.

    Without the time of asking, where that may lack: the scorer would warn of one that is older than its tolerance.
    """
    pipeline = deployment.pipeline
    path = settings.folder.example_event(pipeline.name)
    event, asked = event_of_now(pipeline, datetime.now(UTC)), pipeline.events.time
    if not any(field.required for field in pipeline.events.fields if field.name == asked):
        event = {name: value for name, value in event.items() if name != asked}
    write_durably(path, json.dumps(event, default=str).encode())
    return str(path)


def event_of_now(pipeline: Pipeline, now: datetime) -> dict[str, object]:
    """The first example's event as if it were asked now: its timestamps that are text keep their distances."""
    event = dict(pipeline.examples[0].event) if pipeline.examples else {}
    times = {field.name for field in pipeline.events.fields if field.type is Type.TIMESTAMP}
    moments = {
        name: datetime.fromisoformat(value) for name, value in event.items() if name in times and isinstance(value, str)
    }
    asked = moments.get(pipeline.events.time)
    if asked is None:
        return event
    moved = {name: (now + (moment - asked)).astimezone(UTC) for name, moment in moments.items()}
    return event | {
        name: f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z" for name, moment in moved.items()
    }
