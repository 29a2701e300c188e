"""One listening socket of a pipeline, the scorers that may accept on it, and which of them does now.

Only one socket can be bound to an address. Where it is in use, a live scorer holds the socket and will offer it.
SO_REUSEPORT is never set: it gives each process a queue of its own, and the callers in it are lost with the process.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from contract.messages.listener import (
    HOT,
    STATES,
    Accept,
    ConnectedScorer,
    Done,
    Drain,
    Order,
    ScorerReport,
    State,
    Stop,
)
from contract.metrics import RESCUES, SCORERS, SOCKET_HELD, SWITCHES
from serving.listener.fd_passing import BACKLOG, PeerGone, as_listener, cookie, send

_ANSWER_WITHIN_S: Final = 10.0

log = logging.getLogger("socket_manager")


@dataclass
class PooledScorer:
    """A connected scorer, as its last report says; `is_gone` once its connection is."""

    name: str
    pid: int
    control: socket.socket
    model: str | None = None
    state: State = "standby"
    is_gone: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def become(self, state: State) -> None:
        self.state = state
        self.changed.set()

    def leave(self) -> None:
        self.is_gone = True
        self.changed.set()

    async def until(self, state: State) -> bool:
        """Whether it reached the state before it was gone, or the time was over."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                while self.state != state and not self.is_gone:
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            log.warning("scorer did not follow name=%s state=%s seconds=%g", self.name, self.state, _ANSWER_WITHIN_S)
        return self.state == state and not self.is_gone


class ListenerPool:
    """Holds one door of a pipeline and passes its socket on; at most one switch at a time."""

    def __init__(self, pipeline: str, address: tuple[str, int], door: str = HOT) -> None:
        self.pipeline, self.address, self.door = pipeline, address, door
        self.listener: socket.socket | None = None
        self.scorers: dict[str, PooledScorer] = {}
        self._one_switch = asyncio.Lock()
        self._count()

    def bind(self) -> None:
        """Take the address when it is free; when a scorer still holds it, wait for its offer.

        Raises:
            OSError: the address can never be bound here.
        """
        if self.listener is not None:
            return
        sock = socket.socket(socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(self.address)
            sock.listen(BACKLOG)
        except OSError as error:
            sock.close()
            if error.errno != errno.EADDRINUSE:
                raise
            return
        sock.setblocking(False)
        self._hold(sock, "bound")

    def close(self) -> None:
        """Let the address go: its pipeline was removed."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        self._count()

    def offered(self, fd: int, scorer: str) -> None:
        """A scorer offers the socket on which it accepts; it is taken where this pool has none.

        Raises:
            ListenerError: it is no listening socket on our port.
        """
        sock = as_listener(fd, self.address)
        if self.listener is None:
            self._hold(sock, f"taken back from {scorer}")
            return
        if cookie(sock) != cookie(self.listener):
            log.warning("scorer has another socket than the manager's pipeline=%s name=%s", self.pipeline, scorer)
            if self.scorers[scorer].state == "accepting":
                self._pass_to(self.scorers[scorer])
        sock.close()

    def heard(self, control: socket.socket, pid: int, report: ScorerReport) -> None:
        """A scorer says who it is and what it does: when it connects, and whenever its state changes."""
        scorer = self.scorers.get(report.name)
        if scorer is None or scorer.control is not control:
            scorer = self.scorers[report.name] = PooledScorer(report.name, pid, control)
        scorer.model = report.model
        scorer.become(report.state)
        log.info(
            "scorer reports pipeline=%s name=%s model=%s state=%s",
            self.pipeline,
            scorer.name,
            scorer.model,
            scorer.state,
        )
        self._count()

    def gone(self, control: socket.socket) -> None:
        """A connection has ended. If with it the last scorer that accepted went, a draining one is called back."""
        lost = [scorer for scorer in self.scorers.values() if scorer.control is control]
        for scorer in lost:
            del self.scorers[scorer.name]
            log.info("scorer is gone pipeline=%s name=%s state=%s", self.pipeline, scorer.name, scorer.state)
        if any(scorer.state == "accepting" for scorer in lost):
            self._rescue()
        for scorer in lost:
            scorer.leave()
        self._count()

    async def switch(self, to: str, drain_s: float, stay_s: float) -> Done:
        """Pass the socket to one scorer and, when it accepts, tell the others to drain. Safe to ask again."""
        async with self._one_switch:
            why = await self._give(to)
            if why is None:
                await self._drain_others(to, drain_s, stay_s)
        SWITCHES.labels(self.pipeline, "failed" if why else "done").inc()
        log.info("switched pipeline=%s to=%s outcome=%r", self.pipeline, to, why or "done")
        return Done(ok=why is None, why=why)

    def stop(self, name: str) -> Done:
        """Tell a scorer that serves nobody to stop."""
        scorer = self.scorers.get(name)
        if scorer is None or scorer.state == "accepting":
            return Done(ok=False, why=f"{name} is {scorer.state if scorer else 'not connected'}")
        return _tell(scorer, Stop(door=self.door))

    def describe(self) -> tuple[ConnectedScorer, ...]:
        """Every connected scorer."""
        return tuple(self._described(scorer) for scorer in self.scorers.values())

    def current(self) -> PooledScorer | None:
        """The scorer that accepts: while two do, in mid-switch, the one that came last."""
        return next((s for s in reversed(self.scorers.values()) if s.state == "accepting"), None)

    async def _give(self, to: str) -> str | None:
        """Why it did not get to accept, or None when it does."""
        scorer = self.scorers.get(to)
        if scorer is None:
            return f"no scorer {to} is connected"
        if self.listener is None:
            return f"the socket of {self.address[0]}:{self.address[1]} is held by no scorer that offers it"
        self._pass_to(scorer)
        return None if await scorer.until("accepting") else f"{to} is {'gone' if scorer.is_gone else scorer.state}"

    async def _drain_others(self, to: str, drain_s: float, stay_s: float) -> None:
        for scorer in self._in_state("accepting"):
            if scorer.name != to:
                _tell(scorer, Drain(deadline_s=drain_s, stay_s=stay_s, door=self.door))
                await scorer.until("draining")

    def _rescue(self) -> None:
        waiting = list(self._in_state("draining"))
        if not waiting or any(self._in_state("accepting")) or self.listener is None:
            return
        log.warning("draining scorer is called back, none accepts pipeline=%s name=%s", self.pipeline, waiting[-1].name)
        RESCUES.labels(self.pipeline).inc()
        self._pass_to(waiting[-1])

    def _pass_to(self, scorer: PooledScorer) -> None:
        scorer.changed.clear()
        _tell(scorer, Accept(door=self.door), self.listener)

    def _described(self, scorer: PooledScorer) -> ConnectedScorer:
        return ConnectedScorer(
            name=scorer.name,
            pipeline=self.pipeline,
            state=scorer.state,
            model=scorer.model,
            pid=scorer.pid,
            door=self.door,
        )

    def _hold(self, sock: socket.socket, how: str) -> None:
        self.listener = sock
        log.info("socket held pipeline=%s address=%s:%d how=%r", self.pipeline, *self.address, how)
        self._count()

    def _in_state(self, state: State) -> Iterable[PooledScorer]:
        return (scorer for scorer in list(self.scorers.values()) if scorer.state == state)

    def _count(self) -> None:
        SOCKET_HELD.labels(self.pipeline).set(self.listener is not None)
        for state in STATES:
            SCORERS.labels(self.pipeline, state).set(len(list(self._in_state(state))))


def _tell(scorer: PooledScorer, order: Order, listener: socket.socket | None = None) -> Done:
    """Send; the end of a scorer's connection is noticed elsewhere too, so a failure is only reported."""
    try:
        send(scorer.control, order, listener)
    except PeerGone as gone:
        return Done(ok=False, why=f"{scorer.name}: {gone}")
    return Done(ok=True)
