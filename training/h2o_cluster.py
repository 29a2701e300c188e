"""H2O as its own cluster: connecting, importing the window, and leaving nothing behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import h2o
from h2o.exceptions import H2OConnectionError, H2OError, H2OResponseError, H2OServerError

from streaming.pipeline import Pipeline, Type
from streaming.places import Places
from streaming.records import FEATURE_PREFIX
from training.errors import H2oUnavailable, TrainingFailed
from training.window import Window

_COLUMN_TYPES = {Type.STRING: "enum", Type.BOOLEAN: "enum", Type.INT: "numeric", Type.DOUBLE: "numeric"}
_ROW_COLUMNS = {"bucket": "numeric", "partition": "numeric", "offset": "numeric", "group": "enum", "label": "enum"}


@dataclass(frozen=True)
class Cluster:
    """What the manifest says of the cluster that trained a model."""

    version: str
    nodes: int
    cores: int


@contextmanager
def connected(places: Places, deadline_s: int) -> Iterator[Cluster]:
    """A connection for one run; frames and models are removed afterwards, whatever happens.

    A client whose job vanished with the cluster would poll for ever: after `deadline_s` it is interrupted.

    Raises:
        H2oUnavailable: no cluster answers at the address, or it went away.
        TrainingFailed: H2O refused something, or the deadline has passed.
    """
    try:
        with _deadline(deadline_s):
            h2o.connect(url=places.h2o.url, auth=places.h2o.login, verbose=False, strict_version_check=False)
            h2o.no_progress()
            cluster = h2o.cluster()
            try:
                yield Cluster(cluster.version, cluster.cloud_size, sum(node["num_cpus"] for node in cluster.nodes))
            finally:
                h2o.remove_all()
    except (H2OConnectionError, H2OServerError) as error:
        raise H2oUnavailable(f"{places.h2o.url}: {error}; is H2O running there?") from error
    except (H2OResponseError, H2OError, OSError) as error:
        raise TrainingFailed(f"H2O: {error}") from error


def import_window(window: Window, pipeline: Pipeline, types: Mapping[str, Type]) -> tuple[Any, Any]:
    """The training and the holdout frame; only the columns that a run needs, with explicit types.

    Raises:
        TrainingFailed: one of the two is empty.
    """
    wanted = _ROW_COLUMNS | {FEATURE_PREFIX + name: _COLUMN_TYPES[types[name]] for name in pipeline.features}
    raw = h2o.lazy_import(list(window.files))
    setup = h2o.parse_setup(raw)
    names = [name.strip('"') for name in setup["column_names"]]
    skipped = [index for index, name in enumerate(names) if name not in wanted]
    frame = h2o.import_file(list(window.files), col_types=wanted, skipped_columns=skipped)
    train = frame[(frame["bucket"] >= window.start) & (frame["bucket"] < window.split), :]
    holdout = frame[(frame["bucket"] >= window.split) & (frame["bucket"] < window.end), :]
    for what, part in (("training", train), ("holdout", holdout)):
        if part.nrows == 0:
            raise TrainingFailed(f"no rows in the {what} part of the window: wait for more buckets")
        if part["label"].unique().nrows < 2:
            raise TrainingFailed(f"all labels are equal in the {what} part of the window: wait for more buckets")
    return _without_groups_of(train, holdout), holdout


def _without_groups_of(train: Any, holdout: Any) -> Any:
    """The training rows whose group is not in the holdout as well: a group that is in both would leak."""
    groups = holdout[["group"]].group_by("group").count().get_frame()
    shared = train.merge(groups, all_x=True, by_x=["group"], by_y=["group"])
    return shared[shared["nrow"].isna(), :].drop("nrow")


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
