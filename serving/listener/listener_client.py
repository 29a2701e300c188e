"""The scorer's side of a hot address: it gets the listening socket, accepts on it, drains, and leaves.

A scorer is no child of the socket manager. It stays connected to whichever manager runs, and offers it the socket that
it has, so that a restarted manager gets the socket back. It does what the manager says:

    Accept (with the socket)   accept connections; a scorer that drains is called back the same way
    Drain                      stop accepting, answer what is open with `Connection: close`, stay warm, then stop
    Stop                       stop at once: it serves nobody
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from contract.messages.listener import Accept, Drain, Order, ScorerReport, State, Stop, decode_order
from contract.metrics import PROBLEMS, SCORER_FORCED_CLOSES
from serving.listener.accept_loop import AcceptLoop
from serving.listener.connections import Connections
from serving.listener.fd_passing import ListenerError, PeerGone, arrived, as_listener, connect, cookie, send

_LOOKS: Final = 3
"""A connection that the kernel has just accepted is not counted yet: none open must be seen so often in a row."""
_LOOK_EVERY_S: Final = 0.05
_RECONNECT_EVERY_S: Final = 0.1

log = logging.getLogger("scorer.listener")


class ListenerClient:
    """One scorer's hold on a door of its pipeline, the hot address; `run` it as a task of the scorer's event loop.

    While `draining`, the application must answer on the hot address with `Connection: close`.
    """

    def __init__(
        self,
        sockets_folder: Path,
        scorer_name: str,
        pipeline: str,
        address: tuple[str, int],
        protocol_factory: Callable[[], asyncio.Protocol],
        on_stop: Callable[[], None],
        model: str | None = None,
    ) -> None:
        """`on_stop` is called once, when the scorer has drained; `model` is the version that it answers with."""
        self.state: State = "standby"
        self.connections = Connections(protocol_factory)
        self.closed_by_deadline = 0
        self._manager_path = sockets_folder / "manager.sock"
        self._name, self._pipeline, self._model = scorer_name, pipeline, model
        self._address = address
        self._on_stop = on_stop
        self._listener: socket.socket | None = None
        self._accepting: AcceptLoop | None = None
        self._manager: socket.socket | None = None
        self._drain: asyncio.Task[None] | None = None

    @property
    def draining(self) -> bool:
        return self.state == "draining"

    async def run(self) -> None:
        """Stay connected to the socket manager, whichever process that is, until cancelled."""
        while True:
            try:
                await self._obey(connect(self._manager_path))
            except PeerGone as gone:
                log.debug("%s", gone)
            except ListenerError as error:
                log.warning("message of the socket manager refused, connecting again why=%r", str(error))
                PROBLEMS.labels(part="scorer").inc()
            await asyncio.sleep(_RECONNECT_EVERY_S)

    def drain(self, deadline_s: float, stay_s: float = 0.0) -> None:
        """Stop accepting; stop when nothing is open, at the latest after `deadline_s`, but not before `stay_s`."""
        self._stop_accepting()
        self._cancel_drain()
        self._tell("draining")
        self._drain = asyncio.get_running_loop().create_task(self._leave_when_empty(deadline_s, stay_s))

    async def _obey(self, manager: socket.socket) -> None:
        """Do what one socket manager says, until it is gone."""
        manager.setblocking(False)
        try:
            send(manager, self._report(), self._listener)
            self._manager = manager
            while True:
                self._do(*await arrived(manager, decode_order))
        finally:
            self._manager = None
            manager.close()

    def _do(self, order: Order, fd: int | None) -> None:
        match order, fd:
            case Accept(), int():
                self._accept(as_listener(fd, self._address))
            case Drain(deadline_s=deadline_s, stay_s=stay_s), None:
                self.drain(deadline_s, stay_s)
            case Stop(), None:
                self._on_stop()
            case _:
                if fd is not None:
                    os.close(fd)
                raise ListenerError(f"a descriptor comes with Accept, and only with it: {order}")

    def _accept(self, listener: socket.socket) -> None:
        self._cancel_drain()
        if self._listener is not None and cookie(self._listener) == cookie(listener):
            listener.close()
        else:  # the first one, or another than ours: the manager's is the one that counts
            self._stop_accepting()
            if self._listener is not None:
                self._listener.close()
            self._listener = listener
        if self._accepting is None:
            self._accepting = AcceptLoop(self._listener, self.connections.open)
        self._tell("accepting")

    async def _leave_when_empty(self, deadline_s: float, stay_s: float) -> None:
        loop = asyncio.get_running_loop()
        begin, empty_looks = loop.time(), 0
        while empty_looks < _LOOKS and loop.time() < begin + deadline_s:
            await asyncio.sleep(_LOOK_EVERY_S)
            empty_looks = 0 if len(self.connections) else empty_looks + 1
        forced = self.connections.close()
        self.closed_by_deadline += forced
        SCORER_FORCED_CLOSES.inc(forced)
        await asyncio.sleep(max(0.0, begin + stay_s - loop.time()))
        log.info("drained seconds=%.1f closed_by_deadline=%d", loop.time() - begin, forced)
        self._on_stop()

    def _stop_accepting(self) -> None:
        if self._accepting is not None:
            self._accepting.close()
            self._accepting = None

    def _cancel_drain(self) -> None:
        if self._drain is not None:
            self._drain.cancel()
            self._drain = None

    def _report(self) -> ScorerReport:
        return ScorerReport(name=self._name, pipeline=self._pipeline, state=self.state, model=self._model)

    def _tell(self, state: State) -> None:
        self.state = state
        if self._manager is not None:
            try:
                send(self._manager, self._report())
            except PeerGone as gone:
                log.debug("the next manager gets the state in the first report: %s", gone)
