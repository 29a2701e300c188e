"""Scorer processes of this host: started detached, remembered in files, found again by whoever asks.

`DATA/onprem/scorers/<name>.json` says name, pipeline, version, pid, and when the process started (clock ticks since
boot, field 22 of /proc/PID/stat): a pid that the kernel has given to another process is not mistaken for a scorer.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from contract import variables
from contract.data_folder import DataFolder
from contract.files import write_durably
from contract.layout import Places
from contract.process_identity import Process
from contract.state_file import read_state

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


def start_scorer(places: Places, pipeline: str, version: str | None, bundle: Path | None) -> ScorerProcess:
    """Start a scorer in a session of its own, so that it outlives us, and write down who it is.

    Raises:
        OSError: it cannot be started.
    """
    name = f"{version or f'{pipeline}-no-model'}-{secrets.token_hex(2)}"
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


def forget(places: Places, name: str) -> None:
    """Remove what is left of a scorer that has ended."""
    (_folder(places) / f"{name}.json").unlink(missing_ok=True)
    (places.sockets / f"{name}.sock").unlink(missing_ok=True)
    places.folder.scorer_trouble(name).unlink(missing_ok=True)


def trouble_of(places: Places, name: str) -> str | None:
    """Why a scorer could not start, as it has noted it: the host is to blame, not its model."""
    try:
        return places.folder.scorer_trouble(name).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


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
