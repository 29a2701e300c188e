"""The running stack: what `up` in the first terminal is, and what other terminals talk to."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from contract import variables
from contract.pipeline import Pipeline
from contract.variable_types import reachable
from infra.engines import influxdb
from infra.ports import Ports
from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.announce import Announcer, tell
from infra.stack.deployments import Deployment, NoSuchPipeline, deploy, deployments, take_back, vanished
from infra.stack.live_scorers import stop_live_scorers
from infra.stack.part_environment import environment, starts_influxdb
from infra.stack.preflight import Unfit
from infra.stack.stack import Stack
from infra.stack.team_topics import check_team_topics
from infra.supervisor.readiness import answers
from infra.supervisor.service import Service
from infra.supervisor.supervisor import Supervisor
from streaming.pipeline_file.load import load

ANSWER_WITHIN_S = 180.0

log = logging.getLogger("stack")


class RunningStack:
    """The parts of one data folder, kept running; requests of other terminals change them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ports = Ports.of(settings)
        self._told_to_stop = asyncio.Event()
        self._deployed = deployments(settings)
        if starts_influxdb(settings):
            influxdb.make_token(settings)
        self._supervisor = Supervisor(self._env(), settings.folder, self._tell_ready)
        self._announcer = Announcer(settings, self._ports)
        self._targets: dict[str, int] = {}
        self._announcing: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> int:
        """Until SIGINT, SIGTERM or `down`; then everything is stopped in reverse."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._told_to_stop.set)
        server = await control_socket.serve(self._settings.control, self._answer)
        self._add(self._stack().common(lambda: self._deployed))
        for each in self._deployed:
            self._start(each)
        telling = asyncio.create_task(self._announcer.whole(self._supervisor), name="all parts")
        telling.add_done_callback(_note_failure)
        await self._told_to_stop.wait()
        tell("stopping; this takes up to half a minute")
        for task in (*self._announcing.values(), telling):
            task.cancel()
        await self._supervisor.stop()
        server.close()
        self._supervisor.notes.remove(self._settings.control)
        tell("stopped")
        return 0

    async def _answer(self, request: control_socket.Message) -> AsyncIterator[control_socket.Message]:
        """One request of another terminal."""
        match request.get("do"):
            case "status":
                parts = [asdict(record) for record in self._supervisor.records()]
                gone, unwritten = vanished(self._settings, self._deployed), self._supervisor.unwritten()
                yield {"parts": parts, "vanished": gone, "unwritten": unwritten, "code": 0}
            case "down":
                self._told_to_stop.set()
                yield {"code": 0}
            case "restart":
                await self._supervisor.restart(request["part"])
                yield {"code": 0}
            case "deploy":
                files = [Path(text) for text in request["files"]]
                async for message in self._deploy(files, adopt=request.get("adopt", False)):
                    yield message
            case "remove":
                async for message in self._remove(str(request["pipeline"])):
                    yield message
            case other:
                yield {"say": f"unknown request {other!r}", "code": 2}

    async def _deploy(self, files: list[Path], adopt: bool) -> AsyncIterator[control_socket.Message]:
        """Add or renew pipelines of a running stack; done when each answers. The caller has checked the files."""
        loaded = [(file, load(file)) for file in files]
        try:
            told = await asyncio.to_thread(check_team_topics, self._settings, loaded, adopt)
        except Unfit as error:
            yield {"say": str(error), "code": 1}
            return
        for line in told:
            yield {"say": line}
        for file, pipeline in loaded:
            self._take_up(file, pipeline)
        await self._supervisor.ready(["topics"])
        await asyncio.to_thread(self._stack().ensure_topics, self._deployed)
        changed = self._stack().render_mirror(self._deployed)
        if not self._supervisor.has("mirror"):
            self._add(self._stack().common(lambda: self._deployed))
        elif changed:
            yield {"say": "the mirror starts again with the new topics"}
            await self._supervisor.restart("mirror")
        for _, pipeline in loaded:
            each = next(each for each in self._deployed if each.pipeline.name == pipeline.name)
            await self._start_or_renew(each)
            address = self._ports.address(f"scorer:{pipeline.name}")
            yield {"say": f"{pipeline.name}: waiting until http://{address} answers"}
            if not await self._answers(address):
                why = f"{pipeline.name}: no answer within {ANSWER_WITHIN_S:.0f} s; look with: hotpath logs"
                yield {"say": f"{why} rollout-{pipeline.name}", "code": 1}
                return
        yield {"say": "deployed", "code": 0}

    async def _remove(self, name: str) -> AsyncIterator[control_socket.Message]:
        """Stop a pipeline; its data stays. Its file goes first: then no part takes it up again."""
        each = next((each for each in self._deployed if each.pipeline.name == name), None)
        if each is None:
            deployed = [each.pipeline.name for each in self._deployed]
            yield {"say": str(NoSuchPipeline(name, deployed)), "code": 1}
            return
        take_back(self._settings, name)
        self._deployed = [other for other in self._deployed if other is not each]
        if announcing := self._announcing.pop(name, None):
            announcing.cancel()
        parts = [part.name for part in self._stack().of_pipeline(each)]
        yield {"say": f"{name}: stopping {', '.join(reversed(parts))} and its scorers"}
        await self._supervisor.remove(list(reversed(parts)))
        await asyncio.to_thread(stop_live_scorers, self._settings.folder, pipeline=name)
        self._write_targets([target for target in self._targets if target not in parts])
        if not self._deployed:  # it would keep in memory how far it has come, and a reset could not make it forget
            yield {"say": "the mirror stops, as no topic is left for it"}
            await self._supervisor.remove(["mirror"])
        elif self._stack().render_mirror(self._deployed):
            yield {"say": "the mirror starts again without its topics"}
            await self._supervisor.restart("mirror")
        yield {"say": f"{name} is removed; its data stays until hotpath reset {name}", "code": 0}

    def _start(self, each: Deployment) -> None:
        """Its parts, and the announcement of its first model."""
        name = each.pipeline.name
        self._add(self._stack().of_pipeline(each))
        announcing = asyncio.create_task(self._announcer.first_model(each), name=f"the first model of {name}")
        announcing.add_done_callback(_note_failure)
        self._announcing[name] = announcing

    async def _start_or_renew(self, each: Deployment) -> None:
        """A pipeline that runs already is read anew by its own parts; the others look by themselves."""
        if each.pipeline.name not in self._announcing:
            self._start(each)
            return
        for part in self._stack().of_pipeline(each):
            await self._supervisor.restart(part.name)

    def _take_up(self, file: Path, pipeline: Pipeline) -> None:
        new = deploy(self._settings, self._ports, file, pipeline)
        others = [each for each in self._deployed if each.pipeline.name != pipeline.name]
        self._deployed = sorted([*others, new], key=lambda each: each.pipeline.name)

    async def _answers(self, address: str) -> bool:
        """Whether its hot address answers within the time. A stack that stops is not waited for."""
        for _ in range(int(ANSWER_WITHIN_S)):
            if await asyncio.to_thread(answers, address, "/health/live"):
                return True
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_stop.wait(), 1.0)
                return False
        return False

    def _env(self) -> dict[str, str]:
        return environment(self._settings, self._ports, [each.pipeline.name for each in self._deployed])

    def _stack(self) -> Stack:
        return Stack(self._settings, self._ports, self._env())

    def _add(self, parts: list[Service]) -> None:
        self._supervisor.add(parts, self._env())
        self._targets |= {part.name: part.metrics_port for part in parts if part.metrics_port}
        self._write_targets(self._targets)

    def _write_targets(self, names: Iterable[str]) -> None:
        """Note where these parts serve `/metrics`, and no others."""
        self._targets = {name: self._targets[name] for name in names}
        host = self._metrics_host()
        targets = [{"targets": [f"{host}:{port}"], "labels": {"part": name}} for name, port in self._targets.items()]
        self._supervisor.notes.write(self._settings.folder.targets, json.dumps(targets, indent=1).encode())

    def _metrics_host(self) -> str:
        """Where `/metrics` of each part is reached; the monitor asks there, and so does your own Prometheus."""
        own = self._settings.environment.get(variables.METRICS_BIND)
        return reachable(own) if own else self._settings.advertise

    def _tell_ready(self, part: Service) -> None:
        self._announcer.ready(part)


def _note_failure(task: asyncio.Task[None]) -> None:
    """What announces can be done without; that it ended is in the log."""
    if not task.cancelled() and (error := task.exception()):
        log.error("%s cannot be announced", task.get_name(), exc_info=error)
