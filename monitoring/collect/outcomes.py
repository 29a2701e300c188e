"""Outcomes as the monitor keeps them: per minute and model the answers of each class, and by slices the newest of all.

Thirteen bytes an outcome (probability, decision, a hash of the entity), with which every realised figure is exact and
its interval knows which answers belong together; of the newest ones thirty more, and four a slice, to tell the slices
apart.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
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
from training.evaluation.confidence_intervals import Answers
from training.evaluation.holdout_metrics import Bools, Floats, summed_log_loss

COLUMNS = ("bucket", "due", "model", "key", "probability", "decision", "label")
MINUTE_US = 60_000_000
SLICED_S = 3600
MOST_SLICED = 500_000
"""Slices are measured on outcomes of so many seconds, and on so many at most, the newest."""


class MinuteOfModel(NamedTuple):
    """What outcomes are grouped by; `minute` is that of `due`, counted from 1970, `bucket` its start in seconds."""

    bucket: int
    minute: int
    model: str


@dataclass(frozen=True, eq=False, slots=True)
class Scores:
    """Some outcomes by what then happened, each class ascending by probability; and the sum of their log losses."""

    positives: Answers
    negatives: Answers
    loss: float

    def __len__(self) -> int:
        return len(self.positives) + len(self.negatives)


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Outcomes as arrays of one length; `minute` is that of `due`, `entity` a hash of the entity."""

    bucket: npt.NDArray[np.int64]
    minute: npt.NDArray[np.int64]
    probability: Floats
    decided: Bools
    entity: npt.NDArray[np.uint32]
    label: Bools

    def __len__(self) -> int:
        return len(self.minute)

    def at(self, places: npt.NDArray[np.int64]) -> Columns:
        """Those at these places, in this order."""
        return Columns(*(getattr(self, name)[places] for name in self.__slots__))


@dataclass(eq=False, slots=True)
class Sliced:
    """Outcomes of one batch with their levels: by slice the levels that occur, and each outcome's place in them."""

    columns: Columns
    levels: Mapping[str, tuple[list[str], npt.NDArray[np.int32]]]

    @property
    def newest_minute(self) -> int:
        return int(self.columns.minute.max()) if len(self.columns) else -1

    def forget(self) -> None:
        """Give the memory back: newer batches are enough."""
        self.columns, self.levels = self.columns.at(np.array([], np.int64)), {}


Groups = Mapping[MinuteOfModel, Scores]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """All outcomes of a pipeline that are looked at, in groups; a group may come more than once."""

    parts: tuple[Groups, ...] = ()
    since_s: int = 0
    sliced: tuple[Sliced, ...] = ()

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
    _newest: TableFiles[Sliced] = field(init=False)
    _outcomes: Outcomes = field(default_factory=Outcomes)

    def __post_init__(self) -> None:
        url = self.places.table(self.pipeline.name, "outcomes")
        self._files = TableFiles(url, COLUMNS, grouped)
        self._newest = TableFiles(url, (*COLUMNS, "slices"), sliced)

    def read(self, since_s: float) -> Outcomes:
        """Outcomes of buckets since a moment, the same object while the table has no new version; none without one."""
        span_s = SPAN_BUCKETS * int(self.pipeline.lake.buckets.total_seconds())

        def since(moment_s: float) -> Callable[[Partition], bool]:
            return lambda partition: partition["state"] == "row" and int(partition["span"]) + span_s > int(moment_s)

        try:
            if self._files.refresh(since(since_s)):
                self._newest.refresh(since(max(since_s, self._newest_bucket_s() - SLICED_S)))
                sliced = newest_of(self._newest.made())
                self._outcomes = Outcomes(tuple(self._files.made()), int(since_s), sliced)
        except TableNotFoundError:
            return Outcomes()
        return self._outcomes

    def _newest_bucket_s(self) -> int:
        return max((group.bucket for groups in self._files.made() for group in groups), default=0)


def newest_of(batches: Iterable[Sliced]) -> tuple[Sliced, ...]:
    """The newest batches that together have `MOST_SLICED` outcomes, or all; the others forget what they hold."""
    found, count = [], 0
    for each in sorted(batches, key=lambda batch: batch.newest_minute, reverse=True):
        if count >= MOST_SLICED:
            each.forget()
            continue
        count += len(each.columns)
        found.append(each)
    return tuple(found)


def grouped(outcomes: pa.RecordBatch) -> Groups:
    """A batch with `COLUMNS` in its groups."""
    outcomes = outcomes.filter(is_possible(outcomes["probability"]))
    models = pc.dictionary_encode(outcomes["model"])
    return group(_columns(outcomes), models.indices.to_numpy(zero_copy_only=False), models.dictionary.to_pylist())


def sliced(outcomes: pa.RecordBatch) -> Sliced:
    """A batch with its slices; a table of an earlier version lacks them."""
    outcomes = outcomes.filter(is_possible(outcomes["probability"]))
    return Sliced(_columns(outcomes), _levels(outcomes))


def _columns(outcomes: pa.RecordBatch) -> Columns:
    return Columns(
        bucket=_ints(outcomes["bucket"]),
        minute=_ints(outcomes["due"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())) // MINUTE_US,
        probability=outcomes["probability"].to_numpy(zero_copy_only=False),
        decided=np.asarray(pc.fill_null(pc.equal(outcomes["decision"], "positive"), False), np.bool_),
        entity=hashes(outcomes["key"]),
        label=outcomes["label"].to_numpy(zero_copy_only=False).astype(bool),
    )


def hashes(texts: pa.Array) -> npt.NDArray[np.uint32]:
    """32 bits that stand for each text: among a million entities some hundred share theirs, which no interval shows."""
    encoded = pc.dictionary_encode(texts)
    of_each = np.fromiter((zlib.crc32(text.encode()) for text in encoded.dictionary.to_pylist()), np.uint32)
    found: npt.NDArray[np.uint32] = of_each[encoded.indices.to_numpy(zero_copy_only=False)]
    return found


def _levels(outcomes: pa.RecordBatch) -> dict[str, tuple[list[str], npt.NDArray[np.int32]]]:
    """From the column `slices`: a JSON object of each slice's level, NULL where it is missing."""
    if "slices" not in outcomes.schema.names:
        return {}
    encoded = pc.dictionary_encode(pc.fill_null(outcomes["slices"], "{}"))
    given = [json.loads(text) for text in encoded.dictionary.to_pylist()]
    rows = encoded.indices.to_numpy(zero_copy_only=False)
    found = {}
    for name in sorted({name for each in given for name in each}):
        of_given = [each.get(name) or "" for each in given]
        levels = sorted(set(of_given))
        places = {level: place for place, level in enumerate(levels)}
        found[name] = levels, np.array([places[level] for level in of_given], np.int32)[rows]
    return found


def is_possible(probability: pa.Array) -> pa.Array:
    """Whether each is from 0 to 1: tables of an earlier version may hold others, which would spoil every figure."""
    return pc.fill_null(pc.and_(pc.greater_equal(probability, 0.0), pc.less_equal(probability, 1.0)), False)


def group(outcomes: Columns, model: npt.NDArray[np.int32], models: list[str]) -> dict[MinuteOfModel, Scores]:
    """Outcomes in groups; `model` is each one's place in `models`."""
    if not len(outcomes):
        return {}
    order = np.lexsort((outcomes.probability, outcomes.label, model, outcomes.minute, outcomes.bucket))
    ordered, model = outcomes.at(order), model[order]
    changes = (np.diff(ordered.bucket) != 0) | (np.diff(ordered.minute) != 0) | (np.diff(model) != 0)
    found = {}
    for start, end in runs(changes):
        key = MinuteOfModel(int(ordered.bucket[start]), int(ordered.minute[start]), models[model[start]])
        found[key] = scores_of(ordered, start, end)
    return found


def runs(changes: Bools) -> Iterable[tuple[int, int]]:
    """Start and end of each run of records that belong together; `changes`: between which neighbours a run ends."""
    starts = np.flatnonzero(np.concatenate(([True], changes))).tolist()
    return zip(starts, [*starts[1:], len(changes) + 1], strict=True)


def scores_of(ordered: Columns, start: int, end: int) -> Scores:
    """Of a run of outcomes that are in the order of their label and then of their probability."""
    split = start + int(np.count_nonzero(~ordered.label[start:end]))
    negatives, positives = _answers(ordered, start, split), _answers(ordered, split, end)
    return Scores(positives, negatives, summed_log_loss(positives.probability, negatives.probability))


def _answers(ordered: Columns, start: int, end: int) -> Answers:
    return Answers(ordered.probability[start:end], ordered.decided[start:end], ordered.entity[start:end])


def _ints(column: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(column, np.int64)
