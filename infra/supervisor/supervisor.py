"""The supervisor: runs parts in the order of their needs, keeps them running, stops them in reverse.

leftovers of a supervisor that was killed are ended first
each part has a runner; a part starts when all that it needs are ready
`add`, `restart`, `remove`, `stop` change the running set; `records` tells it
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from contract.data_folder import DataFolder
from contract.process_end import OnEnd, give_up, vital_task
from contract.process_identity import Process
from contract.restarts import REMEMBERED_S, Restart, encode_restarts, trouble_of
from contract.state_file import read_state
from infra.supervisor.notes import Notes
from infra.supervisor.process_runner import ProcessRunner, State
from infra.supervisor.processes import stop, uptime_s
from infra.supervisor.service import Service, in_order

RETRY_EVERY_S: Final = 2.0
"""How often notes that the disk refused are tried again."""

log = logging.getLogger("supervisor")


@dataclass(frozen=True)
class Record:
    """What is told of a part. `uptime_s` is null without a process."""

    part: str
    state: str
    pid: int | None
    uptime_s: float | None
    restarts: int
    address: str
    problem: str
    look_first: str
    trouble: str
    """What its restarts say although it may run now: it was started again often, or it had ended itself."""
    dropped_lines: int
    """Of its log: the disk refused them."""


class Supervisor:
    """Parts that run. Made inside a running event loop, in the main thread: children die with that thread.

    A disk that is full stops nothing: `unwritten` says what could not be noted. `on_end` is called with the reason when
    a part can no longer be looked after.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        folder: DataFolder,
        ready: Callable[[Service], None],
        on_end: OnEnd = give_up,
    ) -> None:
        self._env, self._folder = env, folder
        self._tell_ready, self._on_end = ready, on_end
        self.notes = Notes()
        self._retrying = vital_task(self._retry_notes(), "the notes", on_end)
        self._restarts: list[Restart] = []
        self._runners: dict[str, ProcessRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told: set[str] = set()
        folder.run.mkdir(parents=True, exist_ok=True)

    def add(self, parts: list[Service], env: Mapping[str, str] | None = None) -> None:
        """Take up parts; those that run already under the same name are left as they are."""
        new = [part for part in parts if part.name not in self._runners]
        known = [runner.part for runner in self._runners.values()]
        for part in [part for part in in_order(known + new) if part in new]:
            own = self._env if env is None else env
            runner = ProcessRunner(part, own, self._folder, self._changed, self._on_end)
            needs = [self._runners[name] for name in part.after]
            self._runners[part.name] = runner
            self._tasks[part.name] = runner.start(needs)

    async def restart(self, name: str) -> None:
        """End a part's process and start another; a part that is not there is none to restart."""
        if name in self._runners:
            await self._runners[name].renew()

    async def remove(self, names: list[str]) -> None:
        """Stop these parts, one after the other, and forget them."""
        for name in [name for name in names if name in self._runners]:
            await self._runners[name].stop()
            await asyncio.wait([self._tasks.pop(name)])
            runner = self._runners.pop(name)
            self._told.discard(name)
            self._changed(runner)

    async def ready(self, names: list[str]) -> None:
        """Wait until these parts have been ready."""
        await asyncio.gather(*(self._runners[name].ready_event.wait() for name in names))

    async def stop(self) -> None:
        """Stop all: a part goes when all that need it are gone, whatever fails on the way."""
        stopping = {name: asyncio.Event() for name in self._runners}

        async def stop_one(runner: ProcessRunner) -> None:
            users = [name for name, other in self._runners.items() if runner.part.name in other.part.after]
            await asyncio.gather(*(stopping[name].wait() for name in users))
            await _before_stop(runner.part)
            await runner.stop()
            await asyncio.wait([self._tasks[runner.part.name]])
            stopping[runner.part.name].set()

        await asyncio.gather(*(stop_one(runner) for runner in self._runners.values()))
        self.notes.remove(self._folder.pids)
        self._retrying.cancel()

    def is_ready(self, name: str) -> bool:
        return name in self._runners and self._runners[name].state is State.READY

    def has(self, name: str) -> bool:
        return name in self._runners

    def names(self) -> list[str]:
        return list(self._runners)

    def records(self) -> list[Record]:
        return [_record(runner, self._restarts) for runner in self._runners.values()]

    def unwritten(self) -> list[str]:
        """What the disk did not take of the notes and of the parts' logs, a sentence each."""
        logs = (runner.log.problem() for runner in self._runners.values())
        return [*self.notes.problems(), *(problem for problem in logs if problem)]

    async def _retry_notes(self) -> None:
        while True:
            await asyncio.sleep(RETRY_EVERY_S)
            self.notes.retry()
            for runner in self._runners.values():
                runner.log.retry()

    def _changed(self, runner: ProcessRunner) -> None:
        live = {name: asdict(k.process) for name, k in self._runners.items() if k.process}
        self.notes.write(self._folder.pids, json.dumps(live).encode())
        if runner.state is State.CRASHED:
            self._note_restart(Restart(runner.part.name, time.time(), runner.problem))
        if runner.state is State.READY and runner.part.name not in self._told:
            self._told.add(runner.part.name)
            self._tell_ready(runner.part)

    def _note_restart(self, restart: Restart) -> None:
        """For `records`, and for the monitor, which reads the file."""
        recent = [each for each in self._restarts if each.when_s > restart.when_s - REMEMBERED_S]
        self._restarts = [*recent, restart]
        self.notes.write(self._folder.restarts, encode_restarts(self._restarts))


async def _before_stop(part: Service) -> None:
    if not part.before_stop:
        return
    try:
        await asyncio.to_thread(part.before_stop)
    except Exception:
        log.exception("what was to be done before a part stops failed, stopping it part=%s", part.name)


def _record(runner: ProcessRunner, restarts: list[Restart]) -> Record:
    process, part = runner.process, runner.part
    return Record(
        part=part.name,
        state=runner.state.value,
        pid=process.pid if process else None,
        uptime_s=round(uptime_s(process), 1) if process else None,
        restarts=runner.restarts,
        address=part.address,
        problem=runner.problem,
        look_first=part.look_first,
        trouble=trouble_of(part.name, restarts, time.time()) or "",
        dropped_lines=runner.log.dropped,
    )


def end_leftovers(folder: DataFolder) -> list[str]:
    """End what a supervisor that was killed has left behind, by pid and start time; their names.

    Scorers are not among them: they go on answering on purpose.
    """
    recorded = read_state(folder.pids, dict[str, Process], "what an earlier run has left behind is not looked for")
    alive = {name: process for name, process in (recorded or {}).items() if process.is_alive}
    stop(list(alive.values()), patience_s=10)
    folder.pids.unlink(missing_ok=True)
    return sorted(alive)
