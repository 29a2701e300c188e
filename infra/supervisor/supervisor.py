"""The supervisor: runs parts in the order of their needs, keeps them running, stops them in reverse.

leftovers of a supervisor that was killed are ended first
each part has a keeper; a part starts when all that it needs are ready
`add`, `restart`, `stop` change the running set; `records` tells it
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from contract.files import write_durably
from infra.settings import SCRATCH
from infra.supervisor.process_runner import Keeper, State
from infra.supervisor.processes import Process, stop
from infra.supervisor.service import Part, in_order

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


class Supervisor:
    """Parts that run. Made inside a running event loop, in the main thread: children die with that thread."""

    def __init__(self, env: Mapping[str, str], logs: Path, run: Path, ready: Callable[[Part], None]) -> None:
        self._env, self._logs, self._pids = env, logs, run / "pids.json"
        self._scratch = run / SCRATCH
        self._tell_ready = ready
        self._keepers: dict[str, Keeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told: set[str] = set()
        run.mkdir(parents=True, exist_ok=True)

    def add(self, parts: list[Part], env: Mapping[str, str] | None = None) -> None:
        """Take up parts; those that run already under the same name are left as they are."""
        new = [part for part in parts if part.name not in self._keepers]
        known = [keeper.part for keeper in self._keepers.values()]
        for part in [part for part in in_order(known + new) if part in new]:
            scratch, own = self._scratch / part.name, self._env if env is None else env
            keeper = Keeper(part, own, self._logs, scratch, self._changed)
            needs = [self._keepers[name] for name in part.after]
            self._keepers[part.name] = keeper
            self._tasks[part.name] = asyncio.create_task(keeper.run(needs), name=part.name)

    async def restart(self, name: str) -> None:
        """End a part's process and start another; a part that is not there is none to restart."""
        if name in self._keepers:
            await self._keepers[name].renew()

    async def ready(self, names: list[str]) -> None:
        """Wait until these parts have been ready."""
        await asyncio.gather(*(self._keepers[name].ready_event.wait() for name in names))

    async def stop(self) -> None:
        """Stop all: a part goes when all that need it are gone."""
        stopping = {name: asyncio.Event() for name in self._keepers}

        async def stop_one(keeper: Keeper) -> None:
            users = [name for name, other in self._keepers.items() if keeper.part.name in other.part.after]
            await asyncio.gather(*(stopping[name].wait() for name in users))
            if keeper.part.before_stop:
                await asyncio.to_thread(keeper.part.before_stop)
            await keeper.stop()
            await self._tasks[keeper.part.name]
            stopping[keeper.part.name].set()

        await asyncio.gather(*(stop_one(keeper) for keeper in self._keepers.values()))
        self._pids.unlink(missing_ok=True)

    def is_ready(self, name: str) -> bool:
        return name in self._keepers and self._keepers[name].state is State.READY

    def names(self) -> list[str]:
        return list(self._keepers)

    def records(self) -> list[Record]:
        return [_record(keeper) for keeper in self._keepers.values()]

    def _changed(self, keeper: Keeper) -> None:
        live = {name: asdict(k.process) for name, k in self._keepers.items() if k.process}
        write_durably(self._pids, json.dumps(live).encode())
        if keeper.state is State.READY and keeper.part.name not in self._told:
            self._told.add(keeper.part.name)
            self._tell_ready(keeper.part)


def _record(keeper: Keeper) -> Record:
    process, part = keeper.process, keeper.part
    return Record(
        part=part.name,
        state=keeper.state.value,
        pid=process.pid if process else None,
        uptime_s=round(process.uptime_s(), 1) if process else None,
        restarts=keeper.restarts,
        address=part.address,
        problem=keeper.problem,
        look_first=part.look_first,
    )


def end_leftovers(run: Path) -> list[str]:
    """End what a supervisor that was killed has left behind, by pid and start time; their names.

    Scorers are not among them: they go on answering on purpose.
    """
    file = run / "pids.json"
    if not file.exists():
        return []
    recorded = {name: Process(**fields) for name, fields in json.loads(file.read_text()).items()}
    alive = {name: process for name, process in recorded.items() if process.is_alive}
    stop(list(alive.values()), patience_s=10)
    file.unlink()
    return sorted(alive)
