"""Runs MirrorMaker 2 for the deployed pipelines, and ends when it must start anew: Docker starts it again.

    wait until a pipeline is deployed, and write the mirror's configuration
    run it, and pass on what it prints
    end when it has ended, when it has given up a task, and when the deployed pipelines have other topics

Run: python -m infra.containers.mirror
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from typing import Final

from contract.environment import VariableError
from contract.heartbeat import beat
from contract.layout import Places
from contract.log_lines import start_logging
from infra.containers.compose_services import ports_of
from infra.engines import mirror_maker
from infra.settings import Settings
from streaming.pipeline_file.diagnostics import PipelineError
from streaming.pipeline_file.load import load

LOOK_EVERY_S: Final = 2.0
STOP_WITHIN_S: Final = 8.0

log = logging.getLogger("mirror")


class Mirror:
    """The mirror's process, and what it has printed."""

    def __init__(self, settings: Settings, places: Places) -> None:
        self._settings, self._places, self._ports = settings, places, ports_of(settings)
        self._has_started = threading.Event()
        self._is_dead = threading.Event()

    def render(self) -> bool:
        """Whether the configuration has changed; one without topics is not written."""
        topics = self._topics()
        return bool(topics) and mirror_maker.render(self._settings, self._ports, self._places, topics)

    def run(self, stop: threading.Event) -> int:
        """Until it ends, or must; its exit code, 0 where it was ended on purpose."""
        part = mirror_maker.mirror(self._settings, self._ports, self._places, after=())
        self._settings.scratch(part.name).mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            part.command, env={**self._settings.env, **part.env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self._pass_on, args=(process,), daemon=True).start()
        while process.poll() is None and not self._is_dead.is_set():
            if self._has_started.is_set():
                beat()
            if stop.wait(LOOK_EVERY_S) or self.render():
                _end(process)
                return 0
        _end(process)
        return process.returncode or 1

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
            if mirror_maker.STARTED.encode() in line:
                self._has_started.set()
            if mirror_maker.TASK_IS_DEAD.encode() in line:
                log.error("the mirror has given up a task, ending it")
                self._is_dead.set()

    def _topics(self) -> set[str]:
        """Of every deployed pipeline that loads."""
        topics: set[str] = set()
        for file in sorted(self._places.pipelines.glob("*.toml")):
            try:
                topics |= set(load(file).mirrored_topics)
            except (PipelineError, OSError) as error:
                log.error("pipeline is not mirrored file=%s why=%r", file, str(error))
        return topics


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> int:
    """The mirror's exit code; 1 when misconfigured."""
    start_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        mirror = Mirror(Settings.from_environment(), Places.from_environment(needs=("onprem", "cloud")))
        while not mirror.render():
            if stop.wait(LOOK_EVERY_S):
                return 0
        return mirror.run(stop)
    except (VariableError, OSError) as error:
        log.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
