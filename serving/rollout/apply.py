"""Carries out the rollout's actions: side effect first, state record second.

A crash between them is repaired by the next turn, which plans anew from what it observes.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Sequence

import msgspec

from contract import metrics
from contract.layout import Places
from contract.manifest import REFERENCE
from contract.messages.listener import AskStop, AskSwitch, Done
from contract.messages.model_states import ModelState, State
from contract.pipeline import Pipeline
from contract.timestamps import parse_us, rfc3339_of_us
from serving.candidates.admission import Refused, admit
from serving.candidates.state_store import ModelStates, changed, read_states, write_states
from serving.listener.fd_passing import ask_manager
from serving.rollout.golden_requests import GoldenError, NotReady, try_golden
from serving.rollout.observe import Observer
from serving.rollout.plan import (
    Action,
    Admit,
    Adopt,
    Forget,
    GoneScorer,
    Kill,
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
    waits_for_room,
)

KEEP_BUNDLES = 5
"""How many of the newest bundles stay, besides those of the champion, the pinned one, and living scorers."""

log = logging.getLogger("rollout")


class Applier:
    """Does what was planned, and keeps the models' states: the only writer of `models.json`."""

    def __init__(self, places: Places, pipeline: Pipeline, observer: Observer) -> None:
        self._places, self._pipeline, self._observer = places, pipeline, observer
        self.states: ModelStates = read_states(observer.folder)

    def do(self, action: Action) -> None:
        """One action.

        Raises:
            OSError, serving.listener.fd_passing.ListenerError: it could not be done now; the next turn plans anew.
        """
        match action:
            case Forget(scorer):
                self._forget(scorer)
            case Adopt(scorer):
                self._observer.host.adopt(scorer)
            case Kill(scorer):
                self._kill(scorer)
            case Register(version):
                self._register(version)
            case Admit(version):
                self._admit(version)
            case Start(version):
                self._observer.host.start(version, self._observer.bundle(version) if version else None)
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
            write_states(self._observer.folder, states)
            self.states = states

    def acknowledged(self, records: Sequence[ModelState]) -> None:
        """The broker has these records."""
        if records:
            self.keep(self.states.acknowledged(records))

    def measure(self, observed: Observation) -> None:
        """Set the rollout's gauges."""
        name, champion, pinned = self._pipeline.name, self.states.champion(), self.states.pinned()
        metrics.MODEL_PINNED.replace({(name, pinned.version, pinned.who): _since(pinned)} if pinned else {})
        metrics.CURRENT_MODEL.replace({(name, champion.version): 1.0} if champion else {})
        metrics.CHAMPION_SINCE.replace(
            {(name, champion.version, champion.who, champion.why): _since(champion)} if champion else {}
        )
        rejected = self.states.newest_rejected()
        metrics.REJECTED_SINCE.replace({(name, rejected.version, rejected.why): _since(rejected)} if rejected else {})
        metrics.UNSENT_MODEL_STATES.labels(name).set(len(self.states.unsent))
        metrics.DRAINING_SCORERS.labels(name).set(sum(scorer.state == "draining" for scorer in observed.scorers))
        trouble = self._observer.attempts.trouble or waits_for_room(self.states, observed)
        metrics.HOST_TROUBLE.replace({(name, trouble): 1.0} if trouble else {})
        manifest = self._observer.manifests.get(champion.version) if champion else None
        if manifest:
            metrics.MODEL_NEWEST_AS_OF.labels(name).set(manifest.newest_as_of_us / 1e6)

    def _forget(self, scorer: GoneScorer) -> None:
        log.info("scorer has ended name=%s failed_start=%s", scorer.name, scorer.failed)
        self._observer.host.forget(scorer.name)
        if scorer.failed and scorer.trouble:
            log.error("no scorer can start on this host, trying again why=%r", scorer.trouble)
        if scorer.failed:
            self._observer.attempts.failed(scorer.version, scorer.trouble)

    def _kill(self, scorer: Scorer) -> None:
        log.error("scorer is not connected or does not answer, killing it name=%s state=%s", scorer.name, scorer.state)
        self._observer.host.signal(scorer.name, signal.SIGKILL)
        self._observer.was_killed(scorer.name)

    def _register(self, version: str) -> None:
        manifest = self._observer.manifests[version]
        why = f"{'proposed' if manifest.proposed else 'not proposed'}: {manifest.why}"
        self._record(_new(version, "candidate", why, manifest.auc))

    def _admit(self, version: str) -> None:
        bundle = self._observer.bundle(version)
        bundle.parent.mkdir(parents=True, exist_ok=True)
        try:
            admission = admit(self._observer.candidate(version), bundle)
        except Refused as refusal:
            self._reject(version, str(refusal))
            return
        log.info("candidate admitted version=%s rows=%d events=%d", version, admission.rows, admission.events)
        metrics.ADMISSIONS.labels(self._pipeline.name, "admitted").inc()
        model = self.states.models[version]
        if model.state == "candidate":
            self._record(self._changed(model, "admitted", f"it reproduces H2O on {admission.rows} reference rows"))

    def _probe(self, scorer: Scorer) -> None:
        if scorer.version is None:
            return
        reference = self._observer.candidate(scorer.version) / REFERENCE
        try:
            asked = try_golden(self._places.sockets / f"{scorer.name}.sock", self._pipeline.name, reference)
        except NotReady as error:
            log.warning("scorer is not ready, killing it name=%s why=%r", scorer.name, str(error))
            self._observer.host.signal(scorer.name, signal.SIGKILL)
            return
        except GoldenError as error:
            self._reject(scorer.version, str(error))
            return
        log.info("scorer answers as H2O does name=%s golden_requests=%d", scorer.name, asked)
        self._observer.host.note_golden(scorer.name)

    def _switch(self, scorer: Scorer) -> None:
        serving = self._pipeline.serving
        drain_s, stay_s = serving.drain.total_seconds(), serving.watch.total_seconds()
        switch = AskSwitch(self._pipeline.name, scorer.name, drain_s, stay_s)
        reply = ask_manager(self._places.sockets, switch, Done)
        if not reply.ok:
            log.warning("switch failed name=%s why=%r", scorer.name, reply.why)

    def _promote(self, version: str, fell_back: bool) -> None:
        before, model = self.states.champion(), self.states.models[version]
        models = []
        if before:
            why = f"its scorer died and {version} was called back" if fell_back else f"{version} serves"
            models.append(self._changed(before, "retired", why))
        why = f"{before.version} died" if before and fell_back else "newest admitted model"
        # a pin's who, when and why stay: they say who holds this version here, and since when
        promoted = (
            msgspec.structs.replace(model, state="champion") if model.pinned else self._changed(model, "champion", why)
        )
        self._record(*models, promoted)
        self._observer.attempts.served(version)
        self._tidy()

    def _reject(self, version: str, why: str) -> None:
        log.error("candidate rejected version=%s why=%r", version, why)
        metrics.ADMISSIONS.labels(self._pipeline.name, "rejected").inc()
        model = self.states.models.get(version) or _new(version, "candidate", why, None)
        self._record(self._changed(model, "rejected", why, pinned=False))
        self._observer.bundle(version).unlink(missing_ok=True)

    def _stop(self, scorer: Scorer) -> None:
        self._observer.told_to_leave(scorer.name)
        ask_manager(self._places.sockets, AskStop(self._pipeline.name, scorer.name), Done)

    def _tidy(self) -> None:
        """Old bundles go, and with them the states of models of which this host has nothing any more."""
        here = {path.stem: path for path in self._observer.folder.glob("bundles/*.bundle")}
        special = {model.version for model in (self.states.champion(), self.states.pinned()) if model}
        kept = special | set(sorted(here)[-KEEP_BUNDLES:]) | {p.version for p in self._observer.hosted.values()}
        for version in here.keys() - kept:
            here[version].unlink()
        known = kept | {path.name for path in self._observer.folder.glob("candidates/*")}
        self.keep(self.states.without(self.states.models.keys() - known))

    def _changed(self, model: ModelState, state: State, why: str, pinned: bool | None = None) -> ModelState:
        return changed(model, state, "rollout", why, _now_us(), pinned)

    def _record(self, *models: ModelState) -> None:
        self.keep(self.states.with_changed(models))


def _new(version: str, state: State, why: str, auc: float | None) -> ModelState:
    return ModelState(version, state, False, "rollout", rfc3339_of_us(_now_us()), why, auc)


def _now_us() -> int:
    return time.time_ns() // 1000


def _since(model: ModelState) -> float:
    """When the version came into its state, seconds since 1970."""
    return parse_us(model.when) / 1e6
