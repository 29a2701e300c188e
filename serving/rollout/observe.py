"""What the rollout observes on this host: candidates, bundles, and scorers. It changes nothing; `apply` does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from contract.layout import Places
from contract.manifest import Manifest
from contract.messages.listener import AskState, ConnectedScorer, PoolState
from serving.listener.fd_passing import ListenerError, ask_manager
from serving.rollout.choose_host import host_of
from serving.rollout.golden_requests import is_live
from serving.rollout.local_manifests import LocalManifests
from serving.rollout.plan import GoneScorer, Observation, Scorer, State
from serving.rollout.scorer_host import HostedScorer
from serving.rollout.start_attempts import StartAttempts

CONNECT_WITHIN_S: Final = 60.0
"""A scorer that is not connected to the socket manager, or does not answer at its own socket, for so long hangs."""
ASK_EVERY_S: Final = 5.0
ANSWER_S: Final = 3.0

log = logging.getLogger("rollout")

Connected = Mapping[str, ConnectedScorer]


class Observer:
    """Observes. Between turns it remembers what no file says of a scorer: when it was connected, whether it served."""

    def __init__(self, places: Places, pipeline: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.places, self.pipeline, self._clock = places, pipeline, clock
        self.folder = places.onprem_folder(pipeline)
        self.attempts = StartAttempts(clock)
        self.host = host_of(places, pipeline)
        self.hosted: dict[str, HostedScorer] = {}
        """Every scorer that was started and is not forgotten, by name, as of the last turn."""
        self._manifests = LocalManifests(self.folder / "candidates")
        self._connected_at: dict[str, float] = {}
        self._answered_at: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._has_served: set[str] = set()
        self._told_to_leave: set[str] = set()

    def now(self) -> Observation:
        """The folders, the processes and, when it answers, the socket manager."""
        answer = self._ask_manager()
        connected = answer or {}
        self.hosted = {scorer.name: scorer for scorer in self.host.list()}
        self._note(answer)
        self._manifests.refresh()
        return Observation(
            candidates=self._manifests.versions,
            proposed=frozenset(version for version, manifest in self.manifests.items() if manifest.proposed),
            unreadable=self._manifests.unreadable,
            bundles=frozenset(path.stem for path in self.folder.glob("bundles/*.bundle")),
            scorers=tuple(self._scorer(scorer, connected) for scorer in self.hosted.values() if scorer.lives),
            gone=tuple(self._gone(scorer) for scorer in self.hosted.values() if not scorer.lives),
            unrecorded=tuple(
                self.host.unrecorded([each for name, each in connected.items() if name not in self.hosted])
            ),
            failures=self.attempts.failures,
            resting=self.attempts.resting,
            no_room=self.host.ready(),
        )

    @property
    def manifests(self) -> dict[str, Manifest]:
        """Those of the local candidates that read."""
        return self._manifests.good

    def candidate(self, version: str) -> Path:
        return self.folder / "candidates" / version

    def bundle(self, version: str) -> Path:
        return self.places.folder.bundle(self.pipeline, version)

    def told_to_leave(self, name: str) -> None:
        """The scorer is about to end because we want it to: that is no failed start."""
        self._told_to_leave.add(name)

    def was_killed(self, name: str) -> None:
        """The scorer was killed, and gets time to end before it counts as hanging again."""
        self._connected_at[name] = self._answered_at[name] = self._clock()

    def _ask_manager(self) -> Connected | None:
        """Name -> what the socket manager says of each connected scorer; None while it does not answer."""
        try:
            answer = ask_manager(self.places.sockets, AskState(self.pipeline), PoolState, timeout_s=5)
        except ListenerError as error:
            log.debug("%s", error)
            return None
        return {scorer.name: scorer for scorer in answer.scorers}

    def _note(self, answer: Connected | None) -> None:
        """Remember when each scorer was last connected, and which ones have served; forget those that are forgotten.

        While the manager does not answer, no scorer can be blamed for not being connected: its time begins anew.
        """
        now, connected = self._clock(), answer or {}
        self._connected_at = {
            name: now if answer is None or name in answer else self._connected_at.get(name, now) for name in self.hosted
        }
        self._ask_scorers(answer, now)
        served = {name for name, scorer in connected.items() if scorer.state in ("accepting", "draining")}
        self._has_served = (self._has_served | served) & self.hosted.keys()
        self._told_to_leave &= self.hosted.keys()

    def _ask_scorers(self, answer: Connected | None, now: float) -> None:
        """Whether each connected scorer still answers; of others, and while the manager is away, nothing is asked."""
        asked = {name for name in answer or () if now >= self._asked_at.get(name, -ASK_EVERY_S) + ASK_EVERY_S}
        live = {name for name in asked if is_live(self.places.sockets / f"{name}.sock", ANSWER_S)}
        asked_at = self._asked_at | dict.fromkeys(asked, now)
        self._asked_at = {name: at for name, at in asked_at.items() if name in self.hosted}
        silent = set(answer or ()) - live
        self._answered_at = {name: self._answered_at.get(name, now) if name in silent else now for name in self.hosted}

    def _scorer(self, scorer: HostedScorer, connected: Connected) -> Scorer:
        state: State = connected[scorer.name].state if scorer.name in connected else "unknown"
        heard_at = min(self._connected_at[scorer.name], self._answered_at[scorer.name])
        hangs = self._clock() > heard_at + CONNECT_WITHIN_S
        return Scorer(scorer.name, scorer.version, state, scorer.golden, hangs)

    def _gone(self, scorer: HostedScorer) -> GoneScorer:
        failed = scorer.name not in self._has_served | self._told_to_leave
        return GoneScorer(scorer.name, scorer.version, failed, scorer.trouble)
