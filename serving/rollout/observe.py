"""What the rollout sees on this host: candidates, bundles, and the scorers that live."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from contract.layout import Places
from contract.process_identity import Process
from serving.candidates.read_candidate import MANIFEST
from serving.listener.fd_passing import ListenerError, ask
from serving.rollout.plan import Observation, Scorer, State
from serving.rollout.scorer_host import ScorerProcess, forget, remember, remembered

CONNECT_WITHIN_S: Final = 60.0
"""A scorer that has not come to the socket manager by then is ended; that counts as a failed start."""
_LONGEST_REST_S: Final = 30.0

log = logging.getLogger("rollout")


class Observer:
    """Looks, and remembers between looks only what is not on disk: which starts failed, and when."""

    def __init__(self, places: Places, pipeline: str) -> None:
        self.places, self.pipeline = places, pipeline
        self.folder = places.onprem_folder(pipeline)
        self.processes: dict[str, ScorerProcess] = {}
        self.failures: Counter[str | None] = Counter()
        self._rest_until: dict[str | None, float] = {}
        self._manifests: dict[str, dict[str, Any]] = {}
        self._since: dict[str, float] = {}
        self._has_served: set[str] = set()
        self._dismissed: set[str] = set()

    def now(self) -> Observation:
        """A look at the folders, the processes and, when it answers, the socket manager."""
        connected = self._connected()
        self._adopt_unknown(connected)
        self._part_from_the_dead()
        candidates = tuple(sorted(path.parent.name for path in self.folder.glob(f"candidates/*/{MANIFEST}")))
        moment = time.monotonic()
        return Observation(
            candidates=candidates,
            proposed=frozenset(version for version in candidates if self.manifest(version)["proposed"]),
            bundles=frozenset(path.stem for path in self.folder.glob("bundles/*.bundle")),
            scorers=tuple(self._scorer(process, connected) for process in self.processes.values()),
            failures=dict(self.failures),
            resting=frozenset(version for version, until in self._rest_until.items() if moment < until),
        )

    def manifest(self, version: str) -> dict[str, Any]:
        """A local candidate's manifest; it never changes, so it is read once."""
        if version not in self._manifests:
            self._manifests[version] = json.loads((self.candidate(version) / MANIFEST).read_bytes())
        return self._manifests[version]

    def candidate(self, version: str) -> Path:
        return self.folder / "candidates" / version

    def bundle(self, version: str) -> Path:
        return self.folder / "bundles" / f"{version}.bundle"

    def failed(self, version: str | None) -> None:
        """Count a start that failed; the next one waits, longer each time."""
        self.failures[version] += 1
        rest_s = min(_LONGEST_REST_S, 2.0 ** (self.failures[version] - 1))
        self._rest_until[version] = time.monotonic() + rest_s

    def dismiss(self, name: str) -> None:
        """The scorer is about to go because we want it to: no failure."""
        self._dismissed.add(name)

    def served(self, version: str) -> None:
        """The version came up: earlier failures are forgotten."""
        self.failures.pop(version, None)
        self._rest_until.pop(version, None)

    def _connected(self) -> dict[str, dict[str, Any]]:
        """Name -> what the socket manager says of each connected scorer; nothing, while there is no manager."""
        try:
            answer = ask(self.places.sockets, {"pipeline": self.pipeline, "do": "state"}, timeout_s=5)
        except ListenerError as error:
            log.debug("%s", error)
            return {}
        return {scorer["name"]: scorer for scorer in answer["scorers"]}

    def _adopt_unknown(self, connected: dict[str, dict[str, Any]]) -> None:
        """Know every scorer: those written down, and one whose rollout was killed before it could write it down."""
        self.processes = {process.name: process for process in remembered(self.places, self.pipeline)}
        for name, scorer in connected.items():
            found = Process.of(scorer["pid"]) if name not in self.processes else None
            if found is not None:
                process = ScorerProcess(name, self.pipeline, scorer["model"], found.pid, found.started)
                remember(self.places, process)
                self.processes[name] = process

    def _part_from_the_dead(self) -> None:
        for process in list(self.processes.values()):
            self._end_when_stuck(process)
            if process.lives():
                continue
            log.info("scorer %s (pid %d) has gone", process.name, process.pid)
            del self.processes[process.name]
            forget(self.places, process)
            known = process.name in self._since
            if known and process.name not in self._has_served | self._dismissed:
                self.failed(process.version)
            self._since.pop(process.name, None)
            self._has_served.discard(process.name)
            self._dismissed.discard(process.name)

    def _end_when_stuck(self, process: ScorerProcess) -> None:
        since = self._since.setdefault(process.name, time.monotonic())
        if time.monotonic() > since + CONNECT_WITHIN_S:
            log.error("scorer %s has not come to the socket manager within %g s", process.name, CONNECT_WITHIN_S)
            process.signal(signal.SIGKILL)

    def _scorer(self, process: ScorerProcess, connected: dict[str, dict[str, Any]]) -> Scorer:
        state: State = connected[process.name]["state"] if process.name in connected else "unknown"
        if state != "unknown":
            self._since[process.name] = time.monotonic()
        if state in ("accepting", "draining"):
            self._has_served.add(process.name)
        return Scorer(process.name, process.version, state, process.golden)
