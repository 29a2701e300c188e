"""Keeps one part running: start, wait until it is ready, start again after a crash, stop when told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from enum import Enum
from typing import Final

from contract.data_folder import DataFolder
from contract.process_end import OnEnd, give_up, vital_task
from contract.process_identity import Process
from infra.supervisor import child
from infra.supervisor.log_file import LogFile
from infra.supervisor.service import Running, Service

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 60.0
"""A part that has run this long has recovered: its next crash counts as the first."""
LOOK_EVERY_S: Final = 0.2
LAST_WORDS_S: Final = 2.0
"""How long the log waits for what an ended part, or a child of it, has still to say."""

log = logging.getLogger("supervisor")


class State(Enum):
    WAITING = "waiting"
    """For the parts that it needs."""
    STARTING = "starting"
    READY = "ready"
    CRASHED = "crashed"
    """It will be started again after a pause."""
    STOPPED = "stopped"


def pause_s(crashes: int) -> float:
    """How long to wait after the nth crash in a row: doubling from half a second to half a minute."""
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (crashes - 1)))


class ProcessRunner:
    """One part and its process. `changed` is called after every change of state.

    `on_end` is called with the reason when a task that the part needs has ended by a failure of ours.
    """

    def __init__(
        self,
        part: Service,
        env: Mapping[str, str],
        folder: DataFolder,
        changed: Callable[[ProcessRunner], None],
        on_end: OnEnd = give_up,
    ) -> None:
        self.part, self.state = part, State.WAITING
        self._on_end = on_end
        self.process: Process | None = None
        self.restarts = 0
        self.problem = ""
        """In words, what ended it last."""
        self.ready_event = asyncio.Event()
        self._scratch, self._changed = folder.scratch(part.name), changed
        self._env = dict(env) | {"TMPDIR": str(self._scratch)} | dict(part.env)
        self.log = LogFile(folder.log(part.name))
        self._child: asyncio.subprocess.Process | None = None
        self._printed = b""
        self._said_dead = ""
        self._pipe = -1
        self._stopping = asyncio.Event()
        self._renewing = False

    def start(self, needs: list[ProcessRunner]) -> asyncio.Task[None]:
        """The task that keeps the part running whenever what it needed was ready once; it ends after `stop`."""
        return vital_task(self._run(needs), self.part.name, self._on_end, self._stopping.is_set)

    async def _run(self, needs: list[ProcessRunner]) -> None:
        crashes = 0
        for need in needs:
            if not self._stopping.is_set():
                await self._first(need.ready_event.wait())
        while not self._stopping.is_set():
            began = time.monotonic()
            self.problem = await self._once()
            if self._stopping.is_set():
                break
            if self._renewing:
                self._renewing, crashes = False, 0
                continue
            crashes = 1 if time.monotonic() - began > STEADY_S else crashes + 1
            self.restarts += 1
            again_s = pause_s(crashes)
            log.warning("part ended part=%s why=%r starts_again_s=%.1f", self.part.name, self.problem, again_s)
            self._set(State.CRASHED)
            await self._first(asyncio.sleep(pause_s(crashes)))
        self._set(State.STOPPED)
        self.log.close()

    async def stop(self) -> None:
        """End the process and start no other."""
        self._stopping.set()
        await self._end_process()

    async def renew(self) -> None:
        """End the process and start another one at once: no crash."""
        self._renewing = self.process is not None
        await self._end_process()

    async def _end_process(self) -> None:
        """SIGTERM to its process group, SIGKILL after its patience."""
        running = self._child
        if running is None or running.returncode is not None:
            return
        _signal_group(running.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(running.wait(), self.part.patience_s)
        except TimeoutError:
            log.warning("part killed, it did not stop part=%s within_s=%.0f", self.part.name, self.part.patience_s)
        _signal_group(running.pid, signal.SIGKILL)  # its descendants, too
        await running.wait()

    async def _once(self) -> str:
        """One life of the process; returns what ended it."""
        self._set(State.STARTING)
        self.problem = ""
        try:
            self._empty_scratch()
            if why := await self._prepare():
                return why
            if not self.part.command:
                return await self._rest()
            if self._stopping.is_set():
                return ""
            await self._spawn()
        except OSError as error:
            return f"could not be started: {error}"
        assert self._child is not None
        pumping = self._beside(self._pump(), "the log")
        watching = self._beside(self._watch_readiness(), "whether it is ready")
        code = await self._child.wait()
        _signal_group(self._child.pid, signal.SIGKILL)
        await asyncio.wait([pumping], timeout=LAST_WORDS_S)
        for task in (watching, pumping):
            task.cancel()
        await asyncio.gather(watching, pumping, return_exceptions=True)
        self.process = None
        if self._said_dead:
            return f"did not work any more: {self._said_dead}"
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}{self._last_line()}"

    def _beside(self, coroutine: Coroutine[object, object, None], what: str) -> asyncio.Task[None]:
        """A task beside one life of the process, which may end before it."""
        return vital_task(coroutine, f"{self.part.name}: {what}", self._on_end, lambda: True)

    async def _prepare(self) -> str:
        """Why it failed, or nothing."""
        try:
            if self.part.prepare:
                await asyncio.to_thread(self.part.prepare)
        except (OSError, RuntimeError) as error:
            return f"could not be started: {error}"
        except Exception as error:
            log.exception("part cannot be prepared part=%s", self.part.name)
            return f"could not be started: {type(error).__name__}: {error}"
        return ""

    def _empty_scratch(self) -> None:
        """What a killed process has left there, libraries that Java unpacks among it, nobody else would remove."""
        if self._scratch.exists():
            shutil.rmtree(self._scratch)
        self._scratch.mkdir(parents=True)

    async def _rest(self) -> str:
        """A step is done and stays so."""
        self.problem = ""
        self._set(State.READY)
        await self._stopping.wait()
        return ""

    async def _spawn(self) -> None:
        """The pipe is ours, not asyncio's, which takes no process for ended while a child of it holds the pipe."""
        self._printed, self._said_dead = b"", ""
        self._pipe, theirs = os.pipe()
        try:
            self._child = await asyncio.create_subprocess_exec(
                *child.bound_to_us(signal.SIGKILL),
                *self.part.command,
                env=self._env,
                cwd=self.part.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(theirs)
        self.process = Process.of(self._child.pid)
        self._changed(self)

    async def _pump(self) -> None:
        """Into the log, until nobody is left who could print."""
        reader, loop = asyncio.StreamReader(), asyncio.get_running_loop()
        pipe = os.fdopen(self._pipe, "rb", 0)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        try:
            while data := await reader.read(65536):
                self.log.write(data)
                self._end_if_dead(data)
                if self.state is State.STARTING or len(self._printed) < 4096:
                    self._printed = (self._printed + data)[-1_000_000:]
                else:
                    self._printed = (self._printed + data)[-4096:]
        finally:
            transport.close()

    def _end_if_dead(self, data: bytes) -> None:
        """End a process that says it does not work any more. Two reads may divide what it says."""
        dead, said = self.part.dead_when_printed.encode(), self._printed[-1000:] + data
        if dead and dead in said and self._child is not None and not self._said_dead:
            start = said.rindex(b"\n", 0, said.index(dead)) + 1 if b"\n" in said[: said.index(dead)] else 0
            self._said_dead = said[start:].partition(b"\n")[0].decode(errors="replace")[:300]
            log.error("part does not work any more, ending it part=%s line=%r", self.part.name, self._said_dead)
            _signal_group(self._child.pid, signal.SIGKILL)

    async def _watch_readiness(self) -> None:
        began = time.monotonic()
        running = Running(lambda text: text.encode() in self._printed)
        while not await asyncio.to_thread(self.part.ready, running):
            if time.monotonic() - began > self.part.ready_within_s and not self.problem:
                self.problem = f"is not ready after {self.part.ready_within_s:.0f} s"
                self._changed(self)
            await asyncio.sleep(LOOK_EVERY_S)
        self.problem = ""
        self._set(State.READY)

    def _last_line(self) -> str:
        lines = [line for line in self._printed.decode(errors="replace").splitlines() if line.strip()]
        return f": {lines[-1][-300:]}" if lines else ""

    def _set(self, state: State) -> None:
        self.state = state
        if state is State.READY:
            self.ready_event.set()
        self._changed(self)

    async def _first(self, waiting: Coroutine[object, object, object]) -> None:
        """Wait for this or for `stop`, whichever comes first."""
        tasks = [asyncio.create_task(waiting), asyncio.create_task(self._stopping.wait())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
