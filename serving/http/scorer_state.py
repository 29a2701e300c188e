"""What a scorer shows of itself, and how it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import Any, Final

from contract.metrics import MODEL_AGE_SECONDS, PROBLEMS
from contract.pipeline import Pipeline
from contract.timestamps import clock_us
from serving.listener.listener_client import ListenerClient
from serving.prediction.served_model import ServedModel

STOP_S: Final = 2.0
"""How long a scorer drains at most when it is told to stop by a signal, or has lost a part of itself."""


@dataclass(frozen=True)
class ScorerState:
    """`/state`: who this is, and how it stands with the hot address."""

    name: str
    pipeline: str
    model: str | None
    listener: ListenerClient

    def now(self) -> dict[str, Any]:
        return {
            "scorer": self.name,
            "pipeline": self.pipeline,
            "model": self.model,
            "state": self.listener.state,
            "connections": len(self.listener.connections),
            "pid": os.getpid(),
        }


def stop_on_signals(listener: ListenerClient, stop: asyncio.Event) -> None:
    """The first signal drains, a second one stops at once."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        if listener.draining:
            stop.set()
        else:
            listener.drain(STOP_S)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)


def show_age(pipeline: Pipeline, model: ServedModel | None) -> None:
    """Show the model's age, computed when metrics are read, and that no problem has been counted yet."""
    PROBLEMS.labels(part="scorer").inc(0)
    if model:
        age = MODEL_AGE_SECONDS.labels(pipeline=pipeline.name, model=model.version)
        age.set_function(lambda: model.age_s(clock_us()))
