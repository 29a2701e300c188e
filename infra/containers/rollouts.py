"""Runs a rollout for each deployed pipeline; one that has ended is started again, one whose file changed starts anew.

Run: python -m infra.containers.rollouts
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Final

from contract import variables
from contract.environment import VariableError
from contract.heartbeat import beat
from contract.log_lines import start_logging
from infra.containers.compose_services import ports_of
from infra.settings import Settings

LOOK_EVERY_S: Final = 1.0
REST_S: Final = 3.0
"""Between two starts of one rollout."""
STOP_WITHIN_S: Final = 8.0

log = logging.getLogger("rollouts")


@dataclass
class Child:
    """The rollout of one pipeline, and the deployed file that it has read."""

    process: subprocess.Popen[bytes]
    file: bytes
    started_s: float


class Rollouts:
    """One child for each deployed pipeline."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._children: dict[str, Child] = {}

    def look(self) -> None:
        """Start what lacks, and end what is not deployed any more, or not as it was."""
        deployed = {name: self._settings.folder.pipeline_file(name).read_bytes() for name in self._names()}
        for name, child in list(self._children.items()):
            if deployed.get(name) != child.file:
                log.info(
                    "rollout ends, its pipeline was %s pipeline=%s", "changed" if name in deployed else "removed", name
                )
                _end([self._children.pop(name)])
        for name, file in deployed.items():
            self._keep(name, file)

    def close(self) -> None:
        _end(list(self._children.values()))

    def _names(self) -> list[str]:
        return self._settings.deployed_names()

    def _keep(self, name: str, file: bytes) -> None:
        child = self._children.get(name)
        if child and child.process.poll() is None:
            return
        if child and time.monotonic() < child.started_s + REST_S:
            return
        if child:
            log.warning("rollout has ended, starting it again pipeline=%s code=%d", name, child.process.returncode)
        port = ports_of(self._settings)[f"metrics:rollout-{name}"]
        env = {**self._settings.env, variables.METRICS_PORT.name: str(port)}
        process = subprocess.Popen([sys.executable, "-m", "serving.rollout.rollout", name], env=env)
        self._children[name] = Child(process, file, time.monotonic())


def _end(children: list[Child]) -> None:
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + STOP_WITHIN_S
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def main() -> int:
    """Until SIGTERM; 1 when misconfigured."""
    start_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        rollouts = Rollouts(Settings.from_environment())
    except VariableError as error:
        log.error("%s", error)
        return 1
    while not stop.wait(LOOK_EVERY_S):
        try:
            rollouts.look()
            beat()
        except OSError:
            log.exception("cannot look for pipelines, trying again")
    rollouts.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
