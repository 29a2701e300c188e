"""The rollout, one a pipeline: brings each new model to the hot address, and takes it away again.

    observe the candidates, bundles and scorers of this host
    plan the next action (serving/rollout/plan.py)
    apply it: admit, start green, ask the golden requests, switch, record
    publish the states on the on-prem topic, when the broker is there
    answer requests: list, show, promote, rollback, unpin; from the socket, and commands from the topic

Killed anywhere, it goes on from what it then observes; it needs neither the cloud nor a broker. The scorers outlive it.
Run: python -m serving.rollout.rollout NAME
"""

from __future__ import annotations

import logging
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from contract import metrics
from contract.environment import VariableError
from contract.files import Locked, exclusive_lock
from contract.layout import Places
from contract.log_lines import start_logging
from contract.messages.operator_commands import ListModels, Reply, Request, ShowModel
from serving.candidates.state_store import ModelsError
from serving.listener.fd_passing import ListenerError
from serving.rollout.answer_request import answer
from serving.rollout.apply import Applier
from serving.rollout.command_socket import socket_path, take_commands
from serving.rollout.command_topic import CommandTopic, Noted
from serving.rollout.observe import Observer
from serving.rollout.pending_commands import Asked, Ordered, Pending
from serving.rollout.plan import Action, Wait, plan
from serving.rollout.state_publisher import StatePublisher
from streaming.pipeline_file.diagnostics import PipelineError
from streaming.pipeline_file.load import load

TURN_S = 0.25
AGAIN_S = 1.0
"""After a turn that failed."""
CLOSE_S = 3.0
"""How long a rollout that stops waits for the broker to take its last records."""

log = logging.getLogger("rollout")


class Rollout:
    """The loop's parts, for one pipeline. One process a pipeline, as `only_one` holds."""

    def __init__(self, places: Places, pipeline: str) -> None:
        settings = load(places.pipelines / f"{pipeline}.toml")
        self.pipeline = pipeline
        self.observer = Observer(places, pipeline)
        self.applier = Applier(places, settings, self.observer)
        self.publisher = StatePublisher(places.onprem, settings.models_topic)
        self.pending: Pending = queue.SimpleQueue()
        noted = Noted(self.applier.states.commands, self.applier.states.commands_topic_id)
        self.topic = CommandTopic(places.onprem, settings.commands_topic, noted, self.pending)
        self.topic.start()
        take_commands(socket_path(places.sockets, pipeline), self.pending)
        self._last: Action | None = None
        self._retried: Ordered | None = None

    def turn(self) -> float:
        """Observe, plan, apply, publish. How long the next turn can wait, in seconds."""
        observed = self.observer.now()
        action = plan(self.applier.states, observed)
        if action != self._last:
            log.info("next action pipeline=%s action=%s", self.pipeline, action)
        repeated, self._last = action == self._last, action
        self.applier.do(action)
        self.publish()
        self.applier.measure(observed)
        return TURN_S if repeated or isinstance(action, Wait) else 0.0

    def publish(self) -> None:
        """Drop what the broker has by now, and offer it the rest."""
        self.applier.acknowledged(self.publisher.acknowledged())
        self.publisher.offer(self.applier.states.unsent)

    def obey(self, wait_s: float) -> float:
        """Answer the next request, when one comes within the time. A command of the topic that fails is tried again."""
        try:
            pending = self._retried or self.pending.get(timeout=max(wait_s, 0.001))
        except queue.Empty:
            return 0.0
        if isinstance(pending, Asked):
            self._answer(pending)
            return 0.0
        self._retried = pending
        if pending.command is None:
            self.applier.keep(self.applier.states.acted_up_to(pending.next_offset, pending.topic_id))
        else:
            self._answered(pending.command, pending)
        self._retried = None
        return 0.0

    def _answer(self, asked: Asked) -> None:
        reply = Reply(ok=False, why="the rollout could not act on it now; its log says why")
        try:
            reply = self._answered(asked.request, None)
        finally:
            asked.answer(reply)

    def _answered(self, request: Request, ordered: Ordered | None) -> Reply:
        """Act on a request. The states and the offset after a command of the topic go to disk in one write."""
        reply, states = answer(self.applier.states, self.observer.now(), request)
        self.applier.keep(states.acted_up_to(ordered.next_offset, ordered.topic_id) if ordered else states)
        if not isinstance(request, ListModels | ShowModel):
            metrics.OPERATOR_COMMANDS.labels(self.pipeline, "done" if reply.ok else "refused").inc()
            log.info(
                "operator command pipeline=%s command=%s ok=%s why=%r", self.pipeline, request, reply.ok, reply.why
            )
        return reply

    def close(self) -> None:
        """Give the broker a little time to take the last records."""
        self.topic.stop()
        self.publisher.close(CLOSE_S)
        self.applier.acknowledged(self.publisher.acknowledged())


def run(rollout: Rollout, stop: threading.Event) -> None:
    """Turn after turn. What fails is logged, counted and tried again."""
    while not stop.is_set():
        wait_s = _tried(rollout, rollout.turn)
        _tried(rollout, partial(rollout.obey, wait_s))
    rollout.close()


def _tried(rollout: Rollout, do: Callable[[], float]) -> float:
    """How long to wait after it."""
    try:
        return do()
    except Exception:
        log.exception("turn failed, trying again pipeline=%s", rollout.pipeline)
        metrics.PROBLEMS.labels(part="rollout").inc()
        return AGAIN_S


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
    except (VariableError, PipelineError, ListenerError, ModelsError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
