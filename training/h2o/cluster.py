"""H2O as its own cluster: connecting, importing the window, and leaving nothing of ours behind, nor taking others'."""

from __future__ import annotations

import hashlib
import io
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from types import FrameType

import h2o
from h2o.exceptions import H2OConnectionError, H2OError, H2OResponseError, H2OServerError

from contract.layout import Places
from contract.pipeline import Pipeline
from training.training_errors import H2oUnavailable, TrainingFailed

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
def connected(places: Places, own: str, deadline_s: int) -> Iterator[Cluster]:
    """A connection for one run; what is called by `own` is removed afterwards, whatever happens, and before: a run that
    was killed has left it.

    A client whose job vanished with the cluster would poll for ever: after `deadline_s` it is interrupted.

    Raises:
        H2oUnavailable: no cluster answers at the address, or it went away.
        TrainingFailed: H2O refused something, or the deadline has passed.
    """
    try:
        with _deadline(deadline_s):
            _connect(places)
            _remove(own)
            cluster = h2o.cluster()
            try:
                yield Cluster(cluster.version, cluster.cloud_size, sum(node["num_cpus"] for node in cluster.nodes))
            finally:
                _remove(own)
    except (H2OConnectionError, H2OServerError) as error:
        raise H2oUnavailable(f"{places.h2o.url}: {error}; is H2O running there?") from error
    except (H2OResponseError, H2OError, OSError) as error:
        raise TrainingFailed(f"H2O: {error}") from error


def _connect(places: Places) -> None:
    with redirect_stdout(io.StringIO()) as said:  # how old the cluster is, at every run
        h2o.connect(url=places.h2o.url, auth=places.h2o.login, verbose=False, strict_version_check=False)
    log.debug("%s", said.getvalue())
    h2o.no_progress()


def _remove(own: str) -> None:
    """Remove what is named by us, or after this session; a name tells what it was made of."""
    session = h2o.connection().session_id
    listed = h2o.ls()
    ours = [key for key in listed["key"] if own in key or session in key] if len(listed) else []
    if ours:
        h2o.remove(ours)


@contextmanager
def _deadline(seconds: int) -> Iterator[None]:
    def expired(signum: int, frame: FrameType | None) -> None:
        raise TrainingFailed(f"H2O took more than {seconds} s for one run; the run is given up")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
