"""A run's connection to H2O, which may serve others too: what is ours is removed, what is theirs stays."""

from __future__ import annotations

import hashlib
import io
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any, Final

import h2o
from h2o.exceptions import H2OConnectionError, H2OError, H2OResponseError, H2OServerError

from contract.layout import Places
from contract.pipeline import Pipeline
from training.h2o.request_deadline import RequestDeadline
from training.training_errors import H2oUnavailable, TrainingError, TrainingFailed

CLEAN_UP_S: Final = 30.0
"""How long removing what a run has made may take."""
POLL_S: Final = 0.2

log = logging.getLogger("trainer")


@dataclass(frozen=True)
class Cluster:
    """What the manifest says of the cluster that trained a model."""

    version: str
    nodes: int
    cores: int


def own_name(places: Places, pipeline: Pipeline) -> str:
    """What the names of a pipeline's frames and models begin with; others may use the same cluster."""
    lake = hashlib.sha256(places.root(pipeline.name).encode()).hexdigest()[:8]
    return f"hotpath.{pipeline.name}.{lake}"


@contextmanager
def connected(places: Places, own: str, deadline_s: float) -> Iterator[Cluster]:
    """A connection for one run, all of whose requests end by the deadline.

    What is called by `own` is removed at the end, whatever happens, within a time of its own. It is also removed at the
    beginning: a run that was killed has left it.

    Raises:
        H2oUnavailable: no cluster answers at the address, or it went away.
        TrainingFailed: H2O refused something, or the deadline has passed.
    """
    try:
        deadline = RequestDeadline(_connect(places), deadline_s)
        try:
            _remove(own)
            cluster = h2o.cluster()
            yield Cluster(cluster.version, cluster.cloud_size, sum(node["num_cpus"] for node in cluster.nodes))
        except (H2OConnectionError, H2OServerError) as error:
            if deadline.has_passed():
                raise deadline.expired() from error
            raise
        finally:
            _clean_up(deadline, own)
    except (H2OConnectionError, H2OServerError) as error:
        raise H2oUnavailable(f"{places.h2o.url}: {error}; is H2O running there?") from error
    except (H2OResponseError, H2OError, OSError) as error:
        raise TrainingFailed(f"H2O: {error}") from error


def _connect(places: Places) -> Any:
    with redirect_stdout(io.StringIO()) as said:  # how old the cluster is, at every run
        connection = h2o.connect(url=places.h2o.url, auth=places.h2o.login, verbose=False, strict_version_check=False)
    log.debug("%s", said.getvalue())
    h2o.no_progress()
    return connection


def _clean_up(deadline: RequestDeadline, own: str) -> None:
    """End our jobs, remove what they made, and close the connection. A failure is logged: the next run removes it."""
    deadline.extend(CLEAN_UP_S)
    try:
        _cancel_jobs(own)
        _remove(own)
    except (H2OError, TrainingError, OSError) as error:
        log.warning("H2O clean-up failed, the next run will do it names=%s reason=%r", own, str(error))
    finally:
        h2o.connection().close()


def _cancel_jobs(own: str) -> None:
    """What a job still makes could not be removed: cancel ours, and wait until they have ended."""
    while running := [job for job in h2o.api("GET /3/Jobs")["jobs"] if _is_ours(job, own)]:
        for job in running:
            h2o.api(f"POST /3/Jobs/{job['key']['name']}/cancel")
        time.sleep(POLL_S)


def _is_ours(job: Mapping[str, Any], own: str) -> bool:
    return job["status"] in ("CREATED", "RUNNING") and own in job["dest"]["name"]


def _remove(own: str) -> None:
    """Remove what is named by us, or after this session; a name tells what it was made of."""
    session = h2o.connection().session_id
    listed = h2o.ls()
    ours = [key for key in listed["key"] if own in key or session in key] if len(listed) else []
    if ours:
        h2o.remove(ours)
