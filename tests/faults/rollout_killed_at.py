"""A rollout that kills itself: python rollout_killed_at.py PIPELINE before|unrecorded|after STEP

`unrecorded`: in the step, when it would write down what it has done: the models' states, the scorer that it started.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

from contract.layout import Places
from serving.candidates.state_store import ModelStates
from serving.rollout import scorer_processes
from serving.rollout.apply import Applier
from serving.rollout.plan import Action
from serving.rollout.rollout import Rollout, only_one, run
from streaming.pipeline_file.load import load

_, PIPELINE, WHEN, STEP = sys.argv

_remember = scorer_processes.remember


class KilledAt(Applier):
    """The real steps, and a death in the first one of the name."""

    inside = False

    def do(self, action: Action) -> None:
        self.inside = type(action).__name__ == STEP
        self._die_when("before")
        super().do(action)
        self._die_when("after")
        self.inside = False

    def keep(self, states: ModelStates) -> None:
        self._die_when("unrecorded")
        super().keep(states)

    def remember(self, places: Places, scorer: scorer_processes.ScorerProcess) -> None:
        self._die_when("unrecorded")
        _remember(places, scorer)

    def _die_when(self, when: str) -> None:
        if self.inside and when == WHEN:
            os.kill(os.getpid(), signal.SIGKILL)


logging.basicConfig(level="INFO")
places = Places.from_environment()
with only_one(places, PIPELINE):
    rollout = Rollout(places, PIPELINE)
    rollout.applier = killed = KilledAt(places, load(places.pipelines / f"{PIPELINE}.toml"), rollout.observer)
    scorer_processes.remember = killed.remember
    run(rollout, threading.Event())
