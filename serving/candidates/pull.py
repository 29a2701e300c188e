"""Pull, one a host: copies candidates from the registry in the cloud into the local folder that serving reads.

    every deployed pipeline, every few seconds:
        the newest candidates that are complete in the registry and not here
        their files, when they are proposed (checked against the manifest's sums, written aside, renamed)
        their manifest, last: its presence makes the local candidate complete
        old local candidates go

The cloud away: it keeps trying, and counts. The HDFS client goes on trying inside a call for minutes, so we ask
first whether anybody listens there, and the turns have a thread of their own: SIGTERM always ends us. A call that
never comes back ends us too, and we are started again.

Run: python -m serving.candidates.pull
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from typing import Final
from urllib.parse import urlsplit

from contract import metrics
from contract.layout import Places, PlacesError
from contract.log_lines import start_logging
from serving.candidates.state_store import read_states
from serving.candidates.sync import Registry, drop, missing, pull_candidate, superfluous
from streaming.lake import hang_watchdog

EVERY_S: Final = 2.0
PROBE_S: Final = 3.0
STUCK_S: Final = 60.0
"""A turn that takes longer is counted as a problem, again and again: the connection went while we copied."""

log = logging.getLogger("pull")


def pull_pipeline(places: Places, pipeline: str) -> None:
    """One turn for one pipeline.

    Raises:
        OSError: the registry cannot be reached, or the local folder not be written.
        PullError: what came is not what the manifest promises.
        ModelsError: `models.json` is broken.
    """
    registry, local = Registry(places.registry(pipeline)), places.onprem_folder(pipeline) / "candidates"
    states = read_states(places.onprem_folder(pipeline))
    for version in missing(registry, local):
        copied = pull_candidate(registry, version, local)
        metrics.PULLED_CANDIDATES.labels(pipeline).inc()
        metrics.PULLED_BYTES.labels(pipeline).inc(copied)
        log.info("%s: %s is here (%d bytes)", pipeline, version, copied)
    for version in superfluous(local, states):
        drop(local, version)
        log.info("%s: old candidate %s dropped", pipeline, version)


def answers(url: str) -> None:
    """Whether somebody listens at the address of the file system; an address without a port is not asked.

    Raises:
        OSError: nobody does.
    """
    parts = urlsplit(url)
    if parts.hostname and parts.port:
        socket.create_connection((parts.hostname, parts.port), PROBE_S).close()


def pull_all(places: Places, troubles: dict[str, str]) -> None:
    """One turn for each deployed pipeline; one that fails does not hold up the others.

    `troubles` holds what failed last, by pipeline: an outage is told once, and its end.
    """
    for file in sorted(places.pipelines.glob("*.toml")):
        try:
            answers(places.hdfs)
            pull_pipeline(places, file.stem)
        except Exception as error:  # noqa: BLE001
            metrics.PULL_FAILURES.labels(file.stem).inc()
            metrics.PROBLEMS.labels(part="pull").inc()
            if troubles.get(file.stem) != str(error):
                log.warning("%s: cannot pull now, trying again: %s", file.stem, error)
            troubles[file.stem] = str(error)
        else:
            if troubles.pop(file.stem, None):
                log.info("%s: pulls again", file.stem)


def main() -> int:
    """Turn after turn until SIGTERM; 1 when misconfigured."""
    start_logging()
    try:
        places = Places.from_environment(needs=("hdfs",))
        hang_watchdog.start()
    except (PlacesError, ValueError) as error:
        log.error("%s", error)
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics.serve("pull")
    log.info("pulling from %s", places.hdfs)
    turned = threading.Event()
    threading.Thread(target=turn_for_ever, args=(places, turned), name="pull", daemon=True).start()
    while not stop.wait(STUCK_S):
        if not turned.is_set():
            log.error("%s has not answered for %g s; still waiting", places.hdfs, STUCK_S)
            metrics.PROBLEMS.labels(part="pull").inc()
        turned.clear()
    return 0


def turn_for_ever(places: Places, turned: threading.Event) -> None:
    """Turn after turn; `turned` is set after each."""
    troubles: dict[str, str] = {}
    while True:
        pull_all(places, troubles)
        turned.set()
        time.sleep(EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
