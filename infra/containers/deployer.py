"""Deploys pipelines where every part is a container: what `hotpath up`, `remove` and `status` talk to there.

    deploy the files of the mounted folder, but those that somebody has removed
    make their topics once both brokers answer
    write down where each part serves its metrics, for the monitor
    answer at the control socket: deploy, remove, status

It starts and stops no container: Docker keeps them running, and each part looks for deployed pipelines by itself.
Run: python -m infra.containers.deployer FOLDER
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from contract.environment import VariableError
from contract.files import write_durably
from contract.heartbeat import beat
from contract.log_lines import start_logging
from contract.pipeline import Pipeline
from contract.process_end import vital_task
from infra.containers.compose_services import ports_of, targets
from infra.containers.compose_status import part_rows
from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.control_socket import Message
from infra.stack.deployments import DeploymentUnreadable, NoSuchPipeline, deploy, deployment, deployments, take_back
from infra.stack.file_changes import changes
from infra.stack.live_scorers import stop_live_scorers
from infra.stack.preflight import Unfit
from infra.stack.stack import Stack
from infra.stack.team_topics import check_team_topics
from infra.supervisor.readiness import answers
from streaming.pipeline_file.diagnostics import PipelineError
from streaming.pipeline_file.load import load

BEAT_S: Final = 5.0
AGAIN_S: Final = 2.0
ANSWER_WITHIN_S: Final = 180
ROLLOUT_ENDS_WITHIN_S: Final = 30

log = logging.getLogger("deployer")


class Deployer:
    """The deployed pipelines of a compose project, and the requests that change them."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._ports = settings, ports_of(settings)
        self._stack = Stack(settings, self._ports, settings.env)

    def deploy_folder(self, folder: Path) -> None:
        """Every file of the mounted folder that loads and may change what is deployed; the others are logged."""
        for file in sorted(folder.glob("*.toml")):
            try:
                self._deploy_unless_removed(file, load(file))
            except (PipelineError, OSError) as error:
                log.error("pipeline is not deployed file=%s why=%r", file, str(error))

    async def make_topics(self) -> None:
        """Until both brokers have them all."""
        while True:
            try:
                await asyncio.to_thread(self._stack.ensure_topics, deployments(self._settings))
                return
            except RuntimeError as error:
                log.warning("topics cannot be made now, trying again why=%r", str(error))
                await asyncio.sleep(AGAIN_S)

    def write_targets(self) -> None:
        """Where each part serves its metrics, as Prometheus reads it."""
        found = targets(self._settings, self._settings.deployed_names())
        rows = [{"targets": [address], "labels": {"part": part}} for part, address in found.items()]
        write_durably(self._settings.folder.targets, json.dumps(rows, indent=1).encode())

    async def answer(self, request: Message) -> AsyncIterator[Message]:
        """One request of a `hotpath` command."""
        match request.get("do"):
            case "status":
                parts = await asyncio.to_thread(part_rows, self._settings, self._ports)
                yield {"parts": parts, "vanished": [], "unwritten": [], "code": 0}
            case "deploy":
                async for message in self._deploy(
                    [Path(text) for text in request["files"]], request.get("adopt", False)
                ):
                    yield message
            case "remove":
                async for message in self._remove(str(request["pipeline"])):
                    yield message
            case _:
                yield {"say": "here every part is a container; use docker compose stop, start and restart", "code": 1}

    async def _deploy(self, files: Iterable[Path], adopt: bool) -> AsyncIterator[Message]:
        loaded = [(file, load(file)) for file in files]
        try:
            for line in await asyncio.to_thread(check_team_topics, self._settings, loaded, adopt):
                yield {"say": line}
        except Unfit as error:
            yield {"say": str(error), "code": 1}
            return
        for file, pipeline in loaded:
            deploy(self._settings, self._ports, file, pipeline)
        await self.make_topics()
        self.write_targets()
        for _, pipeline in loaded:
            address = self._ports.address(f"scorer:{pipeline.name}")
            yield {"say": f"{pipeline.name}: waiting until http://{address} answers"}
            if not await _within(ANSWER_WITHIN_S, address, "/health/live", wanted=True):
                yield {"say": f"{pipeline.name}: no answer yet; look with: docker compose logs rollout", "code": 1}
                return
        yield {"say": "deployed", "code": 0}

    async def _remove(self, name: str) -> AsyncIterator[Message]:
        """Its file goes first: then no part takes it up again."""
        if name not in self._settings.deployed_names():
            yield {"say": str(NoSuchPipeline(name, self._settings.deployed_names())), "code": 1}
            return
        rollout = targets(self._settings, [name])[f"rollout-{name}"]
        take_back(self._settings, name)
        self.write_targets()
        yield {"say": f"{name}: stopping its rollout and its scorers"}
        await _within(ROLLOUT_ENDS_WITHIN_S, rollout, "/metrics", wanted=False)
        await asyncio.to_thread(stop_live_scorers, self._settings.folder, pipeline=name)
        yield {"say": f"{name} is removed; its data stays until hotpath reset {name}", "code": 0}

    def _deploy_unless_removed(self, file: Path, pipeline: Pipeline) -> None:
        if self._settings.folder.was_removed(pipeline.name):
            log.info("pipeline stays removed; deploy it again with: hotpath up %s", file)
            return
        refused = _refused(self._settings, pipeline)
        if refused:
            log.error("pipeline is not deployed file=%s why=%r", file, "; ".join(refused))
            return
        deploy(self._settings, self._ports, file, pipeline)
        log.info("pipeline is deployed pipeline=%s file=%s", pipeline.name, file)


def _refused(settings: Settings, pipeline: Pipeline) -> Iterable[str]:
    """Why the pipeline may not take the place of the deployed one."""
    try:
        old = deployment(settings, pipeline.name)
    except DeploymentUnreadable as error:
        log.warning("pipeline is replaced, what changes is not known why=%r", str(error))
        return ()
    return changes(old.pipeline, pipeline).refused if old else ()


async def _within(seconds: int, address: str, path: str, *, wanted: bool) -> bool:
    """Whether the address answers, or answers no more, within the time."""
    for _ in range(seconds):
        if (await asyncio.to_thread(answers, address, path) is not None) == wanted:
            return True
        await asyncio.sleep(1.0)
    return False


async def serve(settings: Settings, folder: Path) -> None:
    """Until SIGTERM. The first heartbeat comes when the topics are there."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    deployer = Deployer(settings)
    deployer.deploy_folder(folder)
    deployer.write_targets()
    starting = vital_task(_start(settings, deployer), "the deployer")
    await stop.wait()
    starting.cancel()


async def _start(settings: Settings, deployer: Deployer) -> None:
    await deployer.make_topics()
    server = await control_socket.serve(settings.control, deployer.answer)
    log.info("ready pipelines=%s", ",".join(settings.deployed_names()))
    async with server:
        while True:
            beat()
            await asyncio.sleep(BEAT_S)


def main() -> int:
    """2 on wrong usage, 1 when misconfigured; 0 when stopped."""
    start_logging()
    if len(sys.argv) != 2:
        print("usage: python -m infra.containers.deployer FOLDER", file=sys.stderr)
        return 2
    try:
        with suppress(asyncio.CancelledError):
            asyncio.run(serve(Settings.from_environment(), Path(sys.argv[1])))
    except (VariableError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
