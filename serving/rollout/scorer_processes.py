"""Scorers as processes of this host: started detached, remembered in files, found again by whoever asks.

`DATA/onprem/scorers/<name>.json` says name, pipeline, version, pid, and when the process started (clock ticks since
boot, field 22 of /proc/PID/stat): a pid that the kernel has given to another process is not mistaken for a scorer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from contract import variables
from contract.data_folder import DataFolder
from contract.files import write_durably
from contract.layout import Places
from contract.messages.listener import ConnectedScorer
from contract.process_identity import Process
from contract.state_file import read_state
from serving.rollout.plan import UnrecordedScorer
from serving.rollout.scorer_host import HostedScorer, new_name, remove_traces, trouble_of

LOG_BYTES: Final = 8 * 1024 * 1024
"""A pipeline's scorers share one log; above this size it is put aside as `.1` when the next one starts."""


@dataclass(frozen=True)
class ScorerProcess:
    """One scorer as it was started. `version` None: it has no bundle."""

    name: str
    pipeline: str
    version: str | None
    pid: int
    started: int
    """Clock ticks since boot."""
    golden: bool = False
    """It has answered the golden requests."""

    @property
    def process(self) -> Process:
        return Process(self.pid, self.started)

    def lives(self) -> bool:
        return self.process.is_alive

    def signal(self, number: int) -> None:
        """Send a signal; a process that has gone meanwhile needs none."""
        self.process.signal(number)


class ScorerProcesses:
    """The `ScorerHost` of one pipeline whose scorers are processes of this host."""

    def __init__(self, places: Places, pipeline: str) -> None:
        self._places, self._pipeline = places, pipeline

    def ready(self) -> str | None:
        return None

    def start(self, version: str | None, bundle: Path | None) -> bool:
        start_scorer(self._places, self._pipeline, version, bundle)
        return True

    def list(self) -> Sequence[HostedScorer]:
        return tuple(self._hosted(process) for process in remembered(self._places, self._pipeline))

    def signal(self, name: str, number: int) -> None:
        for process in self._named(name):
            process.signal(number)

    def note_golden(self, name: str) -> None:
        for process in self._named(name):
            remember(self._places, replace(process, golden=True))

    def forget(self, name: str) -> None:
        (_folder(self._places) / f"{name}.json").unlink(missing_ok=True)
        remove_traces(self._places, name)

    def unrecorded(self, unknown: Iterable[ConnectedScorer]) -> Sequence[UnrecordedScorer]:
        """Those whose rollout was killed before it wrote them down."""
        found = [UnrecordedScorer(each.name, each.model, Process.of(each.pid)) for each in unknown]
        return tuple(scorer for scorer in found if scorer.process)

    def adopt(self, scorer: UnrecordedScorer) -> None:
        if process := scorer.process:
            known = ScorerProcess(scorer.name, self._pipeline, scorer.version, process.pid, process.started)
            remember(self._places, known)

    def _named(self, name: str) -> Iterator[ScorerProcess]:
        return (process for process in remembered(self._places, self._pipeline) if process.name == name)

    def _hosted(self, process: ScorerProcess) -> HostedScorer:
        lives, trouble = process.lives(), trouble_of(self._places, process.name)
        return HostedScorer(process.name, process.version, process.golden, lives, trouble)


def start_scorer(places: Places, pipeline: str, version: str | None, bundle: Path | None) -> ScorerProcess:
    """Start a scorer in a session of its own, so that it outlives us, and write down who it is.

    Raises:
        OSError: it cannot be started.
    """
    name = new_name(pipeline, version)
    command = [sys.executable, "-m", "serving.scorer", "--pipeline", pipeline, "--name", name]
    own = (variables.METRICS_PORT.name, variables.METRICS_PORT.file_name)
    env = {key: value for key, value in os.environ.items() if key not in own}
    with _log(places, pipeline).open("ab") as log:
        process = subprocess.Popen(
            [*command, "--bundle", str(bundle)] if bundle else command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            start_new_session=True,
        )
    _children.append(process)
    identity = Process.of(process.pid)
    scorer = ScorerProcess(name, pipeline, version, process.pid, identity.started if identity else 0)
    remember(places, scorer)
    return scorer


def remember(places: Places, scorer: ScorerProcess) -> None:
    write_durably(_folder(places) / f"{scorer.name}.json", json.dumps(asdict(scorer)).encode())


def remembered(places: Places, pipeline: str | None = None) -> Iterator[ScorerProcess]:
    """Every scorer written down, living or not; of one pipeline, or of all."""
    _children[:] = [child for child in _children if child.poll() is None]  # reaps those that have ended
    for scorer in recorded(places.folder):
        if pipeline in (None, scorer.pipeline):
            yield scorer


def recorded(folder: DataFolder) -> Iterator[ScorerProcess]:
    """Every scorer written down in a data folder, by name. One whose file is damaged is found by its connection."""
    for file in sorted(folder.scorers.glob("*.json")):
        scorer = read_state(file, ScorerProcess, "a scorer of that name that runs is not known; remove the file")
        if scorer is not None:
            yield scorer


_children: list[subprocess.Popen[bytes]] = []


def _folder(places: Places) -> Path:
    return places.folder.scorers


def _log(places: Places, pipeline: str) -> Path:
    log = places.folder.log(f"scorers-{pipeline}")
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.rename(log.with_suffix(".log.1"))
    return log
