"""What `up` tells the person in front of it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from infra.deployed import Deployment
from infra.keys import first_key
from infra.part import Part
from infra.ports import Ports
from infra.settings import Settings
from serving.model_states import Model, ModelsError, read_states

if TYPE_CHECKING:
    from infra.supervisor import Supervisor


def say(text: str) -> None:
    """One line on stdout, at once."""
    print(text, flush=True)


class Announcer:
    """Tells parts as they become ready, the page, and each pipeline's first model with a line to ask it."""

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self._settings, self._ports = settings, ports
        self._began = time.monotonic()

    def ready(self, part: Part) -> None:
        say(f"{self._elapsed()}  {part.name:<16} ready  {part.address}")

    async def whole(self, supervisor: Supervisor) -> None:
        """When every part is ready."""
        while not all(supervisor.is_ready(name) for name in supervisor.names()):
            await asyncio.sleep(0.5)
        say(f"{self._elapsed()}  everything is ready. Ctrl-C stops it; `hotpath status` and `logs PART -f` look closer")
        say(f"           status page  http://{self._ports.address('page')}")

    async def first_model(self, deployment: Deployment) -> None:
        """When the pipeline has its first champion: its AUC and a `curl` line."""
        name = deployment.pipeline.name
        model = await self._champion(name)
        auc = f", AUC {model.auc:.3f}" if model.auc is not None else ""
        address, key = self._ports.address(f"scorer:{name}"), first_key(self._settings.env, self._settings.data)
        say(f"{self._elapsed()}  {name} answers with {model.version}{auc}. Ask it:")
        say(
            f"  curl -s http://{address}/v1/pipelines/{name}/predict -H 'Authorization: Bearer {key}' "
            f"-H 'Content-Type: application/json' -d @{_example_body(self._settings, deployment)}"
        )

    async def _champion(self, name: str) -> Model:
        while True:
            try:
                model = read_states(self._settings.data / "onprem" / name).champion()
            except ModelsError:
                model = None  # the rollout says so in its log
            if model:
                return model
            await asyncio.sleep(0.5)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:8.1f} s"


def _example_body(settings: Settings, deployment: Deployment) -> str:
    """A file with the first example's event; callers replace it by their own."""
    path = settings.run / f"{deployment.pipeline.name}.event.json"
    examples = deployment.pipeline.examples
    path.write_text(json.dumps(dict(examples[0].event) if examples else {}, default=str))
    return str(path)
