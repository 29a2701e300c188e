"""`hotpath up`: deploy the files, start the stack, tell what becomes ready, keep it running until told to stop.

Whoever runs a stack holds the lock of its data folder: `start` takes it, `wait_until_stopped` waits until it is free.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from contract import variables
from contract.files import Locked, exclusive_lock
from contract.log_lines import start_logging
from contract.pipeline import Pipeline
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.announce import say
from infra.stack.deployments import deploy, unreadable
from infra.stack.first_key import first_key
from infra.stack.influx_history import check_influx
from infra.stack.preflight import Unfit, check_before_start, shared_ports
from infra.stack.running_stack import RunningStack
from infra.stack.team_topics import check_team_topics
from infra.supervisor.supervisor import end_leftovers


def start(settings: Settings, files: list[tuple[Path, Pipeline]], *, adopt: bool = False) -> int:
    """Deploy these files, then run in the foreground; 1 when another stack has this data folder.

    `adopt`: change topics that hotpath did not make where they are not as it needs them.

    Raises:
        Unfit: before anything is started.
    """
    start_logging()
    is_new = not settings.data.exists()
    try:
        settings.run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = f"set {variables.DATA.name} to a folder that can be written"
        raise Unfit(f"the data folder {settings.data} cannot be made: {error.strerror}; {remedy}") from error
    try:
        with exclusive_lock(_lock(settings)):
            return _start(settings, files, adopt)
    except Locked:
        say(f"another `hotpath up` is starting or stopping at {settings.data}; try again when it is done")
        return 1
    except Unfit:
        if is_new:
            _unmake(settings)
        raise


def _unmake(settings: Settings) -> None:
    """Leave nothing of a data folder in which nothing was started, unless there is more in it by now."""
    _lock(settings).unlink(missing_ok=True)
    with suppress(OSError):  # it is not empty
        settings.run.rmdir()
        settings.data.rmdir()


def _start(settings: Settings, files: list[tuple[Path, Pipeline]], adopt: bool) -> int:
    for name in end_leftovers(settings.folder):
        say(f"ended {name}, which an earlier run had left behind")
    check_before_start(settings)
    for line in shared_ports(settings):
        say(line)
    for line in check_influx(settings):
        say(line)
    for line in check_team_topics(settings, files, adopt):
        say(line)
    first_key(settings.environment, settings.folder.keys)
    ports = Ports.of(settings)
    for file, pipeline in files:
        deploy(settings, ports, file, pipeline)
    for line in unreadable(settings):
        say(line)
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    return await RunningStack(settings).run()


def wait_until_stopped(settings: Settings) -> int:
    """Until the supervisor has let go of the data folder; 1 when it takes more than a minute and a half."""
    for _ in range(900):
        try:
            with exclusive_lock(_lock(settings)):
                say("stopped")
                return 0
        except Locked:
            time.sleep(0.1)
    say("it has not stopped within 90 s; its terminal says what it waits for")
    return 1


def _lock(settings: Settings) -> Path:
    return settings.folder.lock
