"""Pull, one a host: copies candidates from the registry in the cloud into the local folder that serving reads.

    every deployed pipeline, every few seconds:
        the newest candidates that are complete in the registry and not here
        their files, when they are proposed (checked against the manifest's sums, written aside, renamed)
        their manifest, last: its presence makes the local candidate complete
        old local candidates go

While the cloud is away, pull tries again and counts its failures. The HDFS client retries inside a call for minutes:
therefore pull first asks whether anything listens at the address, and takes its turns in a thread of their own, so that
SIGTERM always ends the process. A call that never returns ends the process too, which is then started again.

Run: python -m serving.candidates.pull
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from contract import metrics
from contract.layout import Places
from contract.log_lines import start_logging
from contract.process_end import VitalThread
from serving.candidates.state_store import read_states
from serving.candidates.sync import PullError, Registry, drop, give_up, missing, pull_candidate, rejected, superfluous
from streaming.lake import hang_watchdog

EVERY_S: Final = 2.0
PROBE_S: Final = 3.0
MOST_TRIES: Final = 3
"""A candidate that is not what its manifest promises is copied so often, and then left to the rollout to reject."""
STUCK_S: Final = 60.0
"""A turn that takes longer is counted as a problem, again and again: the connection went while we copied."""

log = logging.getLogger("pull")


def pull_pipeline(places: Places, pipeline: str, damaged: Counter[str] | None = None) -> None:
    """One turn for one pipeline. `damaged` counts by version how often one could not be copied, from turn to turn.

    Raises:
        OSError: the registry cannot be reached, or the local folder not be written.
        PullError: what came is not what the manifest promises; the other candidates are here all the same.
        ModelsError: `models.json` is broken.
    """
    registry, local = Registry(places.registry(pipeline)), places.onprem_folder(pipeline) / "candidates"
    states = read_states(places.onprem_folder(pipeline))
    damaged, problems = Counter() if damaged is None else damaged, list[PullError]()
    for version in missing(registry, local, rejected(states)):
        if problem := _pull(registry, version, local, pipeline):
            problems.append(problem)
            damaged[version] += 1
            if damaged[version] >= MOST_TRIES:
                log.error("candidate stays damaged pipeline=%s version=%s why=%r", pipeline, version, str(problem))
                give_up(registry, version, local)
    for version in superfluous(local, states):
        drop(local, version)
        log.info("old candidate dropped pipeline=%s version=%s", pipeline, version)
    if problems:
        raise problems[0]


def _pull(registry: Registry, version: str, local: Path, pipeline: str) -> PullError | None:
    """Copy one candidate; a damaged one does not hold up the others."""
    try:
        copied = pull_candidate(registry, version, local)
    except PullError as error:
        return error
    metrics.PULLED_CANDIDATES.labels(pipeline).inc()
    metrics.PULLED_BYTES.labels(pipeline).inc(copied)
    log.info("candidate pulled pipeline=%s version=%s bytes=%d", pipeline, version, copied)
    return None


def answers(url: str) -> None:
    """Whether somebody listens at the address of the file system; an address without a port is not asked.

    Raises:
        OSError: nobody does.
    """
    parts = urlsplit(url)
    if parts.hostname and parts.port:
        socket.create_connection((parts.hostname, parts.port), PROBE_S).close()


@dataclass
class Turns:
    """What one turn hands to the next."""

    troubles: dict[str, str] = field(default_factory=dict)
    """What failed last, by pipeline: an outage is logged once, and its end once."""
    in_a_row: Counter[str] = field(default_factory=Counter)
    """Turns that failed in a row, by pipeline."""
    damaged: dict[str, Counter[str]] = field(default_factory=dict)
    """How often a candidate could not be copied, by pipeline and version."""


def pull_all(places: Places, turns: Turns) -> None:
    """One turn for each deployed pipeline; one that fails does not hold up the others."""
    for file in sorted(places.pipelines.glob("*.toml")):
        name = file.stem
        try:
            answers(places.hdfs)
            pull_pipeline(places, name, turns.damaged.setdefault(name, Counter()))
        except Exception as error:  # noqa: BLE001
            metrics.PULL_FAILURES.labels(name).inc()
            metrics.PROBLEMS.labels(part="pull").inc()
            turns.in_a_row[name] += 1
            why = str(error).partition("\n")[0]  # HDFS appends a stack of Java
            if turns.troubles.get(name) != why:
                log.warning("cannot pull now, trying again pipeline=%s why=%r", name, why)
            turns.troubles[name] = why
        else:
            turns.in_a_row[name] = 0
            if turns.troubles.pop(name, None):
                log.info("pulling again pipeline=%s", name)
        metrics.PULL_FAILURES_IN_A_ROW.labels(name).set(turns.in_a_row[name])


def main() -> int:
    """Turn after turn until SIGTERM; 1 when misconfigured."""
    start_logging()
    try:
        places = Places.from_environment(needs=("hdfs",))
        hang_watchdog.start()
    except ValueError as error:
        log.error("%s", error)
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics.serve("pull")
    log.info("pull started registry=%s", places.hdfs)
    turned = threading.Event()
    VitalThread("pull", lambda: turn_for_ever(places, turned)).start()
    while not stop.wait(STUCK_S):
        if not turned.is_set():
            log.error("file system does not answer, still waiting address=%s seconds=%g", places.hdfs, STUCK_S)
            metrics.PROBLEMS.labels(part="pull").inc()
        turned.clear()
    return 0


def turn_for_ever(places: Places, turned: threading.Event) -> None:
    """Turn after turn; `turned` is set after each."""
    turns = Turns()
    while True:
        pull_all(places, turns)
        turned.set()
        time.sleep(EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
