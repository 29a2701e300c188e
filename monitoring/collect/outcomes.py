"""Outcomes as the monitor keeps them: per minute and model the sorted probabilities of each class, and no more.

Eight bytes an outcome, with which every realised figure is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import TableNotFoundError

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import SPAN_BUCKETS
from monitoring.collect.table_files import Partition, TableFiles
from training.evaluation.holdout_metrics import Floats, summed_log_loss

COLUMNS = ("bucket", "due", "model", "probability", "label")
MINUTE_US = 60_000_000


class MinuteOfModel(NamedTuple):
    """What outcomes are grouped by; `minute` is that of `due`, counted from 1970, `bucket` its start in seconds."""

    bucket: int
    minute: int
    model: str


@dataclass(frozen=True, eq=False, slots=True)
class Scores:
    """The probabilities of some outcomes, sorted, by what then happened; and the sum of their log losses."""

    positives: Floats
    negatives: Floats
    loss: float

    def __len__(self) -> int:
        return len(self.positives) + len(self.negatives)


Groups = Mapping[MinuteOfModel, Scores]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """All outcomes of a pipeline that are looked at, in groups; a group may come more than once."""

    parts: tuple[Groups, ...] = ()
    since_s: int = 0

    def by_minute(self) -> dict[int, list[tuple[str, Scores]]]:
        """Minute -> (model, scores), in the order of time."""
        found: dict[int, list[tuple[str, Scores]]] = {}
        for group, scores in self._groups():
            found.setdefault(group.minute, []).append((group.model, scores))
        return dict(sorted(found.items()))

    def by_model(self) -> dict[str, list[tuple[int, Scores]]]:
        """Model -> (minute, scores), in the order of versions."""
        found: dict[str, list[tuple[int, Scores]]] = {}
        for group, scores in self._groups():
            found.setdefault(group.model, []).append((group.minute, scores))
        return dict(sorted(found.items()))

    def _groups(self) -> Iterable[tuple[MinuteOfModel, Scores]]:
        return (item for part in self.parts for item in part.items() if item[0].bucket >= self.since_s)


@dataclass
class OutcomeReader:
    """The outcomes of one pipeline; each of the table's files is read once."""

    places: Places
    pipeline: Pipeline
    _files: TableFiles[Groups] = field(init=False)
    _outcomes: Outcomes = field(default_factory=Outcomes)

    def __post_init__(self) -> None:
        self._files = TableFiles(self.places.table(self.pipeline.name, "outcomes"), COLUMNS, grouped)

    def read(self, since_s: float) -> Outcomes:
        """Outcomes of buckets since a moment, the same object while the table has no new version; none without one."""
        span_s = SPAN_BUCKETS * int(self.pipeline.lake.buckets.total_seconds())

        def wanted(partition: Partition) -> bool:
            return partition["state"] == "row" and int(partition["span"]) + span_s > int(since_s)

        try:
            if self._files.refresh(wanted):
                self._outcomes = Outcomes(tuple(self._files.made()), int(since_s))
        except TableNotFoundError:
            return Outcomes()
        return self._outcomes


def grouped(outcomes: pa.RecordBatch) -> dict[MinuteOfModel, Scores]:
    """A batch with `COLUMNS` in its groups."""
    outcomes = outcomes.filter(is_possible(outcomes["probability"]))
    models = pc.dictionary_encode(outcomes["model"])
    return group(
        _ints(outcomes["bucket"]),
        _ints(outcomes["due"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())) // MINUTE_US,
        models.indices.to_numpy(zero_copy_only=False),
        models.dictionary.to_pylist(),
        outcomes["probability"].to_numpy(zero_copy_only=False),
        outcomes["label"].to_numpy(zero_copy_only=False).astype(bool),
    )


def is_possible(probability: pa.Array) -> pa.Array:
    """Whether each is from 0 to 1: tables of an earlier version may hold others, which would spoil every figure."""
    return pc.fill_null(pc.and_(pc.greater_equal(probability, 0.0), pc.less_equal(probability, 1.0)), False)


def group(
    bucket: npt.NDArray[np.int64],
    minute: npt.NDArray[np.int64],
    model: npt.NDArray[np.int32],
    models: list[str],
    probability: Floats,
    label: npt.NDArray[np.bool_],
) -> dict[MinuteOfModel, Scores]:
    """Columns of one length into groups; `model` is an index in `models`."""
    if not len(minute):
        return {}
    order = np.lexsort((probability, label, model, minute, bucket))
    bucket, minute, model, probability, label = (
        bucket[order],
        minute[order],
        model[order],
        probability[order],
        label[order],
    )
    changes = (np.diff(bucket) != 0) | (np.diff(minute) != 0) | (np.diff(model) != 0)
    starts = np.flatnonzero(np.concatenate(([True], changes))).tolist()
    found = {}
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        split = start + int(np.count_nonzero(~label[start:end]))
        key = MinuteOfModel(int(bucket[start]), int(minute[start]), models[model[start]])
        found[key] = scores_of(probability[split:end], probability[start:split])
    return found


def scores_of(positives: Floats, negatives: Floats) -> Scores:
    """Of probabilities that are sorted already."""
    return Scores(positives, negatives, summed_log_loss(positives, negatives))


def _ints(column: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(column, np.int64)
