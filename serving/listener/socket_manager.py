"""The socket manager, one a host: holds the listening socket of every deployed pipeline and passes it to scorers.

    bind each pipeline's hot address, or get the socket back from a live scorer
    listen on `sockets/manager.sock` for scorers and rollouts (contract/messages/listener.py)
    forward the stable admin address to the scorers' own Unix sockets
    look for newly deployed pipelines

It keeps nothing on disk: the scorers tell a restarted manager what it must know.
Run: python -m serving.listener.socket_manager
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from contract import metrics, variables
from contract.environment import VariableError
from contract.layout import Places
from contract.log_lines import start_logging
from contract.messages.listener import HOT
from contract.process_end import vital_task
from serving.listener.admin_proxy import admin_app
from serving.listener.fd_passing import ListenerError
from serving.listener.listen_addresses import admin_address, hot_address
from serving.listener.listener_pool import ListenerPool
from serving.listener.manager_socket import ManagerSocket, listen, only_one

LOOK_EVERY_S: Final = 1.0

log = logging.getLogger("socket_manager")


async def serve(places: Places) -> None:
    """Run until SIGTERM or SIGINT. The sockets outlive us in the scorers that hold them.

    Raises:
        ListenerError: the admin address is not free.
    """
    host, port = admin_address()
    admin_socket = admin_listener(host, port)
    pools: dict[tuple[str, str], ListenerPool] = {}
    take_up_pipelines(places, pools)
    manager = ManagerSocket(listen(places.sockets), pools)
    admin = AdminServer(
        uvicorn.Config(
            admin_app(places.sockets, pools),
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, admin.stop)
    looking = vital_task(look_for_pipelines(places, pools), "look_for_pipelines")
    log.info("ready admin=http://%s:%d", host, port)
    await admin.serve([admin_socket])
    looking.cancel()
    manager.close()


def admin_listener(host: str, port: int) -> socket.socket:
    """The socket of the admin address, before anything is begun that a later failure would leave behind."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        remedy = f"stop what listens there, or set {variables.ADMIN.name} to another address"
        raise ListenerError(f"the admin address {host}:{port} is not free ({error.strerror}); {remedy}") from error


class AdminServer(uvicorn.Server):
    """uvicorn's server without its signal handlers: they would raise the signal again after a clean end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


async def look_for_pipelines(places: Places, pools: dict[tuple[str, str], ListenerPool]) -> None:
    """Every second: pools for new pipelines, and another attempt at addresses that were not free."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            take_up_pipelines(places, pools)
        except Exception:
            log.exception("cannot look for pipelines folder=%s", places.pipelines)
            metrics.PROBLEMS.labels(part="socket_manager").inc()


def take_up_pipelines(places: Places, pools: dict[tuple[str, str], ListenerPool]) -> None:
    """A `ListenerPool` for every deployed pipeline, bound when its address is free.

    A pipeline without a usable address is logged and counted, and tried again at the next look. The address of one
    that `hotpath remove` has stopped is let go when its last scorer has.
    """
    for door in [door for door, pool in pools.items() if places.folder.was_removed(door[0]) and not pool.scorers]:
        log.info("pipeline is removed, its address is let go pipeline=%s", door[0])
        pools.pop(door).close()
    for file in sorted(places.pipelines.glob("*.toml")):
        try:
            if (file.stem, HOT) not in pools:
                pools[file.stem, HOT] = ListenerPool(file.stem, hot_address(places, file.stem))
            pools[file.stem, HOT].bind()
        except (VariableError, OSError) as error:
            log.error("pipeline has no usable address pipeline=%s why=%r", file.stem, str(error))
            metrics.PROBLEMS.labels(part="socket_manager").inc()


def main() -> int:
    """0 when stopped, 1 when another one runs here or something is misconfigured."""
    start_logging()
    try:
        places = Places.from_environment()
        places.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        with only_one(places.sockets):
            metrics.serve("socket_manager")
            asyncio.run(serve(places))
    except (VariableError, ListenerError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
