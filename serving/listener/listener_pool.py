"""One pipeline's hot address: the listening socket, the scorers that may borrow it, and who accepts on it now.

The kernel is the arbiter: whoever can bind has the only socket; an address in use means that a live scorer holds it
and will offer it. Never SO_REUSEPORT: it gives each process a queue of its own, and a queue dies with its process.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from contract.metrics import RESCUES, SCORERS, SOCKET_HELD, SWITCHES
from serving.listener.fd_passing import BACKLOG, ListenerError, PeerGone, as_listener, cookie, send

STATES: Final = ("standby", "accepting", "draining")
_ANSWER_WITHIN_S: Final = 10.0

log = logging.getLogger("socket_manager")


@dataclass
class PooledScorer:
    """A connected scorer, as its last message says. `gone` once its connection is."""

    name: str
    pid: int
    control: socket.socket
    model: str | None = None
    state: str = "standby"
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def become(self, state: str) -> None:
        self.state = state
        self.changed.set()

    async def until(self, *states: str) -> bool:
        """Whether it reached one of the states before it went, or the time was over."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                while self.state not in (*states, "gone"):
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            log.warning("scorer %s is still %s after %g s", self.name, self.state, _ANSWER_WITHIN_S)
        return self.state in states


class ListenerPool:
    """Lends one pipeline's socket; at most one switch at a time."""

    def __init__(self, pipeline: str, address: tuple[str, int]) -> None:
        self.pipeline, self.address = pipeline, address
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

    def offered(self, fd: int, scorer: str) -> None:
        """A scorer shows the socket that it serves on: ours from now on when we have none.

        Raises:
            ListenerError: it is no listening socket on our port.
        """
        sock = as_listener(fd, self.address)
        if self.listener is None:
            self._hold(sock, f"taken back from {scorer}")
            return
        if cookie(sock) != cookie(self.listener):
            log.warning("%s: scorer %s serves on another socket than ours; it is given ours", self.pipeline, scorer)
            if self.scorers[scorer].state == "accepting":
                self._lend(self.scorers[scorer])
        sock.close()

    def heard(self, control: socket.socket, pid: int, message: dict[str, Any]) -> None:
        """A scorer says its name, model and state: when it connects, and whenever its state changes.

        Raises:
            ListenerError: the message lacks what it must say.
        """
        name, state = message.get("name"), message.get("state")
        if not isinstance(name, str) or state not in STATES:
            raise ListenerError(f"{self.pipeline}: a scorer's message without name or a known state: {message}")
        scorer = self.scorers.get(name)
        if scorer is None or scorer.control is not control:
            scorer = self.scorers[name] = PooledScorer(name, pid, control)
        scorer.model = message.get("model")
        scorer.become(state)
        log.info("%s: scorer %s (model %s) is %s", self.pipeline, name, scorer.model, state)
        self._count()

    def gone(self, control: socket.socket) -> None:
        """A connection has ended. If with it the last scorer that accepted went, a draining one is called back."""
        lost = [scorer for scorer in self.scorers.values() if scorer.control is control]
        for scorer in lost:
            del self.scorers[scorer.name]
            log.info("%s: scorer %s is gone (was %s)", self.pipeline, scorer.name, scorer.state)
        if any(scorer.state == "accepting" for scorer in lost):
            self._rescue()
        for scorer in lost:
            scorer.become("gone")
        self._count()

    async def switch(self, to: str, drain_s: float, stay_s: float) -> dict[str, Any]:
        """Lend the socket to one scorer and, when it accepts, tell the others to drain. Safe to ask again."""
        async with self._one_switch:
            why = await self._give(to)
            if why is None:
                await self._drain_others(to, drain_s, stay_s)
        SWITCHES.labels(self.pipeline, "failed" if why else "done").inc()
        log.info("%s: switch to %s: %s", self.pipeline, to, why or "done")
        return {"ok": why is None, "why": why}

    def leave(self, name: str) -> dict[str, Any]:
        """Tell a scorer that serves nobody to stop."""
        scorer = self.scorers.get(name)
        if scorer is None or scorer.state == "accepting":
            return {"ok": False, "why": f"{name} is {scorer.state if scorer else 'not connected'}"}
        return _tell(scorer, {"do": "leave"})

    def describe(self) -> list[dict[str, Any]]:
        """Name, pipeline, state, model and pid of every connected scorer."""
        return [
            {"name": s.name, "pipeline": self.pipeline, "state": s.state, "model": s.model, "pid": s.pid}
            for s in self.scorers.values()
        ]

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
        self._lend(scorer)
        return None if await scorer.until("accepting") else f"{to} is {scorer.state}"

    async def _drain_others(self, to: str, drain_s: float, stay_s: float) -> None:
        for scorer in self._in_state("accepting"):
            if scorer.name != to:
                _tell(scorer, {"do": "drain", "deadline_s": drain_s, "stay_s": stay_s})
                await scorer.until("draining")

    def _rescue(self) -> None:
        waiting = list(self._in_state("draining"))
        if not waiting or any(self._in_state("accepting")) or self.listener is None:
            return
        log.warning("%s: nobody accepts, so draining scorer %s is called back", self.pipeline, waiting[-1].name)
        RESCUES.labels(self.pipeline).inc()
        self._lend(waiting[-1])

    def _lend(self, scorer: PooledScorer) -> None:
        scorer.changed.clear()
        _tell(scorer, {"do": "accept"}, self.listener)

    def _hold(self, sock: socket.socket, how: str) -> None:
        self.listener = sock
        log.info("%s: socket of %s:%d %s", self.pipeline, *self.address, how)
        self._count()

    def _in_state(self, state: str) -> Iterable[PooledScorer]:
        return (scorer for scorer in list(self.scorers.values()) if scorer.state == state)

    def _count(self) -> None:
        SOCKET_HELD.labels(self.pipeline).set(self.listener is not None)
        for state in STATES:
            SCORERS.labels(self.pipeline, state).set(len(list(self._in_state(state))))


def _tell(scorer: PooledScorer, message: dict[str, Any], listener: socket.socket | None = None) -> dict[str, Any]:
    """Send; a scorer that is gone is noticed by its connection's end too, so this only says so."""
    try:
        send(scorer.control, message, listener)
    except PeerGone as gone:
        return {"ok": False, "why": f"{scorer.name}: {gone}"}
    return {"ok": True, "why": None}
