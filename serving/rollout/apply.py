"""Doing the rollout's steps: each changes the world first and the record after, or the record alone."""

from __future__ import annotations

import logging
import signal
import time
from dataclasses import replace

from contract import metrics
from contract.layout import Places
from contract.pipeline import Pipeline
from contract.timestamps import parse_us, rfc3339_of_us
from serving.candidates.admission import Refused, admit
from serving.candidates.read_candidate import REFERENCE
from serving.candidates.state_store import Model, ModelStates, read_states, write_states
from serving.listener.fd_passing import ask
from serving.rollout.golden_requests import GoldenError, NotReady, try_golden
from serving.rollout.observe import Observer
from serving.rollout.plan import (
    Action,
    Admit,
    Observation,
    Probe,
    Promote,
    Register,
    Reject,
    Scorer,
    Start,
    Stop,
    Switch,
    Wait,
)
from serving.rollout.scorer_host import remember, start_scorer

KEEP_BUNDLES = 5
"""How many of the newest bundles stay, besides those of the champion, the pinned one, and living scorers."""

log = logging.getLogger("rollout")


class Applier:
    """Does what was decided, and keeps the models' states: the only writer of `models.json`."""

    def __init__(self, places: Places, pipeline: Pipeline, look: Observer) -> None:
        self._places, self._pipeline, self._look = places, pipeline, look
        self.states: ModelStates = read_states(look.folder)

    def do(self, step: Action) -> None:
        """One step.

        Raises:
            OSError, serving.listener.fd_passing.ListenerError: it could not be done now; the next turn decides anew.
        """
        match step:
            case Register(version):
                self._register(version)
            case Admit(version):
                self._admit(version)
            case Start(version):
                start_scorer(
                    self._places, self._pipeline.name, version, self._look.bundle(version) if version else None
                )
            case Probe(scorer):
                self._probe(scorer)
            case Switch(scorer):
                self._switch(scorer)
            case Promote(version, fell_back):
                self._promote(version, fell_back)
            case Reject(version, why):
                self._reject(version, why)
            case Stop(scorer):
                self._stop(scorer)
            case Wait():
                pass

    def keep(self, states: ModelStates) -> None:
        """Make these the states: on disk before anything else happens."""
        if states != self.states:
            write_states(self._look.folder, states)
            self.states = states

    def acknowledged(self, count: int) -> None:
        """The broker has the oldest `count` unsent records."""
        if count:
            self.keep(self.states.acknowledged(count))

    def measure(self, seen: Observation) -> None:
        """Set the rollout's gauges."""
        name, champion, pinned = self._pipeline.name, self.states.champion(), self.states.pinned()
        metrics.MODEL_PINNED.clear()
        if pinned:
            metrics.MODEL_PINNED.labels(name, pinned.version, pinned.who).set(parse_us(pinned.when) / 1e6)
        metrics.UNSENT_MODEL_STATES.labels(name).set(len(self.states.unsent))
        metrics.DRAINING_SCORERS.labels(name).set(sum(scorer.state == "draining" for scorer in seen.scorers))
        metrics.CURRENT_MODEL.clear()
        if champion:
            metrics.CURRENT_MODEL.labels(name, champion.version).set(1)
            if champion.version in seen.candidates:
                newest_us = parse_us(self._look.manifest(champion.version)["newest_as_of"])
                metrics.MODEL_NEWEST_AS_OF.labels(name).set(newest_us / 1e6)

    def _register(self, version: str) -> None:
        manifest = self._look.manifest(version)
        why = f"{'proposed' if manifest['proposed'] else 'not proposed'}: {manifest['why']}"
        auc = manifest["metrics"]["auc"]
        self._record(Model(version, "candidate", False, "rollout", rfc3339_of_us(_now_us()), why, auc))

    def _admit(self, version: str) -> None:
        bundle = self._look.bundle(version)
        bundle.parent.mkdir(parents=True, exist_ok=True)
        try:
            admission = admit(self._look.candidate(version), bundle)
        except Refused as refusal:
            self._reject(version, str(refusal))
            return
        log.info("%s reproduces H2O on %d rows, %d events", version, admission.rows, admission.events)
        metrics.ADMISSIONS.labels(self._pipeline.name, "admitted").inc()
        model = self.states.models[version]
        if model.state == "candidate":
            self._record(self._changed(model, "admitted", f"it reproduces H2O on {admission.rows} reference rows"))

    def _probe(self, scorer: Scorer) -> None:
        if scorer.version is None:
            return
        process = self._look.processes[scorer.name]
        reference = self._look.candidate(scorer.version) / REFERENCE
        try:
            asked = try_golden(self._places.sockets / f"{scorer.name}.sock", self._pipeline.name, reference)
        except NotReady as error:
            log.warning("%s", error)
            process.signal(signal.SIGKILL)
            return
        except GoldenError as error:
            self._reject(scorer.version, str(error))
            return
        log.info("%s answers %d golden requests as H2O does", scorer.name, asked)
        remember(self._places, replace(process, golden=True))

    def _switch(self, scorer: Scorer) -> None:
        serving = self._pipeline.serving
        reply = ask(
            self._places.sockets,
            {
                "pipeline": self._pipeline.name,
                "do": "switch",
                "to": scorer.name,
                "drain_s": serving.drain.total_seconds(),
                "stay_s": serving.watch.total_seconds(),
            },
        )
        if not reply["ok"]:
            log.warning("the switch to %s failed: %s", scorer.name, reply["why"])

    def _promote(self, version: str, fell_back: bool) -> None:
        before, model = self.states.champion(), self.states.models[version]
        changed = []
        if before:
            why = f"its scorer died and {version} was called back" if fell_back else f"{version} serves"
            changed.append(self._changed(before, "retired", why))
        why = f"{before.version} died" if before and fell_back else "newest admitted model"
        # a pin's who, when and why stay: they say who holds this version here, and since when
        promoted = replace(model, state="champion") if model.pinned else self._changed(model, "champion", why)
        self._record(*changed, promoted)
        self._look.served(version)
        self._tidy()

    def _reject(self, version: str, why: str) -> None:
        log.error("%s is rejected: %s", version, why)
        metrics.ADMISSIONS.labels(self._pipeline.name, "rejected").inc()
        self._record(self._changed(self.states.models[version], "rejected", why, pinned=False))
        self._look.bundle(version).unlink(missing_ok=True)

    def _stop(self, scorer: Scorer) -> None:
        self._look.dismiss(scorer.name)
        ask(self._places.sockets, {"pipeline": self._pipeline.name, "do": "leave", "name": scorer.name})

    def _tidy(self) -> None:
        """Old bundles go, and with them the states of models of which this host has nothing any more."""
        here = {path.stem: path for path in self._look.folder.glob("bundles/*.bundle")}
        special = {model.version for model in (self.states.champion(), self.states.pinned()) if model}
        kept = special | set(sorted(here)[-KEEP_BUNDLES:]) | {p.version for p in self._look.processes.values()}
        for version in here.keys() - kept:
            here[version].unlink()
        known = kept | {path.name for path in self._look.folder.glob("candidates/*")}
        self.keep(self.states.without(self.states.models.keys() - known))

    def _changed(self, model: Model, state: str, why: str, pinned: bool | None = None) -> Model:
        return model.become(state, "rollout", why, _now_us(), pinned)

    def _record(self, *changed: Model) -> None:
        self.keep(self.states.with_changed(changed))


def _now_us() -> int:
    return time.time_ns() // 1000
