"""The scorer's side of the hot address: it borrows the listening socket, serves on it, drains, and gives it back.

A scorer is no child of the socket manager. It stays connected to whichever manager runs, offers it the socket that
it holds (a manager that was restarted takes it back so), and does what it is told:

    accept (with the socket)   serve on it; a scorer that drains is called back the same way
    drain                      stop accepting, answer what is open with `Connection: close`, stay warm, then stop
    leave                      stop at once: it serves nobody
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

from contract.metrics import PROBLEMS, SCORER_FORCED_CLOSES
from serving.listener.connections import Connections
from serving.listener.fd_passing import BACKLOG, ListenerError, PeerGone, arrived, as_listener, connect, cookie, send

State = Literal["standby", "accepting", "draining"]

_LOOKS: Final = 3
"""A connection that the kernel has just accepted is not counted yet: none open must be seen so often in a row."""
_LOOK_EVERY_S: Final = 0.05
_RECONNECT_EVERY_S: Final = 0.1

log = logging.getLogger("lease")


class ListenerClient:
    """One scorer's hold on its pipeline's hot address; `run` it as a task of the scorer's event loop.

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
        self.connections = Connections()
        self.closed_by_deadline = 0
        self._manager_path = sockets_folder / "manager.sock"
        self._who = {"role": "scorer", "name": scorer_name, "pipeline": pipeline, "model": model}
        self._address = address
        self._protocol_factory = protocol_factory
        self._on_stop = on_stop
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
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
                log.warning("the socket manager sent what cannot be used, connecting again: %s", error)
                PROBLEMS.labels(part="scorer").inc()
            await asyncio.sleep(_RECONNECT_EVERY_S)

    def drain(self, deadline_s: float, stay_s: float = 0.0) -> None:
        """Stop accepting; stop when nothing is open, at the latest after `deadline_s`, but not before `stay_s`."""
        self._stop_accepting()
        self._cancel_drain()
        self._tell("draining")
        self._drain = asyncio.get_running_loop().create_task(self._leave_when_empty(deadline_s, stay_s))

    async def _obey(self, manager: socket.socket) -> None:
        """Do what one socket manager says, until it goes."""
        manager.setblocking(False)
        try:
            send(manager, self._hello(), self._listener)
            self._manager = manager
            while True:
                message, fd = await arrived(manager)
                await self._do(message, fd)
        finally:
            self._manager = None
            manager.close()

    async def _do(self, message: dict[str, Any], fd: int | None) -> None:
        match message.get("do"), fd:
            case "accept", int():
                await self._accept(as_listener(fd, self._address))
            case "drain", None:
                self.drain(float(message["deadline_s"]), float(message["stay_s"]))
            case "leave", None:
                self._on_stop()
            case other:
                if fd is not None:
                    os.close(fd)
                raise ListenerError(f"a message that is none of accept, drain, leave: {other!r}")

    async def _accept(self, listener: socket.socket) -> None:
        self._cancel_drain()
        if self._listener is not None and cookie(self._listener) == cookie(listener):
            listener.close()
        else:  # the first one, or another than ours: the manager's is the one that counts
            self._stop_accepting()
            if self._listener is not None:
                self._listener.close()
            self._listener = listener
        if self._server is None:
            # a duplicate serves, so that closing the server leaves us the socket to offer to a new manager
            self._server = await asyncio.get_running_loop().create_server(
                lambda: self.connections.watch(self._protocol_factory()), sock=self._listener.dup(), backlog=BACKLOG
            )
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
        log.info("drained after %.1f s; %d connections closed by the deadline", loop.time() - begin, forced)
        self._on_stop()

    def _stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _cancel_drain(self) -> None:
        if self._drain is not None:
            self._drain.cancel()
            self._drain = None

    def _hello(self) -> dict[str, Any]:
        return self._who | {"state": self.state}

    def _tell(self, state: State) -> None:
        self.state = state
        if self._manager is not None:
            try:
                send(self._manager, self._hello())
            except PeerGone as gone:
                log.debug("the next manager hears it in the hello: %s", gone)
