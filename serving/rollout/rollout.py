"""The rollout, one a pipeline: brings each new model to the hot address, and takes it away again.

    look at the candidates, bundles and scorers of this host
    plan what is next (serving/rollout/plan.py)
    do it: admit, start green, ask the golden requests, switch, record
    tell the states to the on-prem topic, when the broker is there
    answer people's commands: list, show, promote, rollback, unpin

Killed anywhere, it goes on from what it then sees; it needs neither the cloud nor a broker. The scorers outlive it.
Run: python -m serving.rollout.rollout NAME
"""

from __future__ import annotations

import logging
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from contract import metrics
from contract.files import Locked, exclusive_lock
from contract.layout import Places, PlacesError
from contract.log_lines import start_logging
from serving.candidates.state_store import ModelsError
from serving.listener.fd_passing import ListenerError
from serving.rollout.apply import Applier
from serving.rollout.command_socket import socket_path, take_commands
from serving.rollout.observe import Observer
from serving.rollout.operator_commands import answer
from serving.rollout.plan import Action, Wait, plan
from serving.rollout.state_publisher import StatePublisher
from streaming.pipeline_file.diagnostics import PipelineError
from streaming.pipeline_file.load import load

TURN_S = 0.25
CLOSE_S = 3.0
"""How long a rollout that stops waits for the broker to take its last records."""

log = logging.getLogger("rollout")


class Rollout:
    """The loop's parts, for one pipeline. One process a pipeline, as `only_one` holds."""

    def __init__(self, places: Places, pipeline: str) -> None:
        settings = load(places.pipelines / f"{pipeline}.toml")
        self.pipeline = pipeline
        self.look = Observer(places, pipeline)
        self.steps = Applier(places, settings, self.look)
        self.announcer = StatePublisher(places.onprem, settings.models_topic)
        self.commands = take_commands(socket_path(places.sockets, pipeline))
        self._last: Action | None = None

    def turn(self) -> float:
        """Observe, plan, apply, publish. How long the next turn can wait, in seconds."""
        seen = self.look.now()
        step = plan(self.steps.states, seen)
        if step != self._last:
            log.info("%s: %s", self.pipeline, step)
        repeated, self._last = step == self._last, step
        self.steps.do(step)
        self.steps.acknowledged(self.announcer.offer(self.steps.states.unsent))
        self.steps.measure(seen)
        return TURN_S if repeated or isinstance(step, Wait) else 0.0

    def obey(self, wait_s: float) -> None:
        """Answer the next command, when one comes within the time."""
        try:
            command = self.commands.get(timeout=max(wait_s, 0.001))
        except queue.Empty:
            return
        reply, states = answer(self.steps.states, self.look.now(), command.request)
        self.steps.keep(states)
        command.answer(reply)


def run(rollout: Rollout, stop: threading.Event) -> None:
    """Turn after turn. What fails is logged, counted and tried again."""
    while not stop.is_set():
        wait_s = 1.0
        try:
            wait_s = rollout.turn()
        except Exception:
            log.exception("%s: this turn failed", rollout.pipeline)
            metrics.PROBLEMS.labels(part="rollout").inc()
        rollout.obey(wait_s)
    rollout.announcer.close(CLOSE_S)


@contextmanager
def only_one(places: Places, pipeline: str) -> Iterator[None]:
    """Hold the pipeline's lock; kill -9 frees it.

    Raises:
        ListenerError: another rollout of this pipeline runs.
    """
    folder = places.onprem_folder(pipeline)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive_lock(folder / "rollout.lock"):
            yield
    except Locked as error:
        raise ListenerError(f"another rollout of {pipeline} runs on {folder}; stop it first") from error


def main() -> int:
    """Turn until SIGTERM; 1 when misconfigured, 2 on wrong usage."""
    start_logging()
    if len(sys.argv) != 2:
        log.error("usage: python -m serving.rollout.rollout NAME")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        places = Places.from_environment(needs=("onprem",))
        places.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        with only_one(places, sys.argv[1]):
            metrics.serve("rollout")
            run(Rollout(places, sys.argv[1]), stop)
    except (PlacesError, PipelineError, ListenerError, ModelsError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
