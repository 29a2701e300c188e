"""Outcomes as the monitor keeps them: per minute and model the answers of each class, and by slices the newest of all.

Thirteen bytes an outcome (probability, decision, a hash of the entity), with which every realised figure is exact and
its interval knows which answers belong together; of the newest ones five more, and one or two a slice, to tell the
slices apart.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import TableNotFoundError

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import SPAN_BUCKETS
from monitoring.collect.table_files import Partition, TableFiles
from monitoring.process_memory import give_back
from training.evaluation.confidence_intervals import Answers
from training.evaluation.holdout_metrics import Bools, Floats, summed_log_loss

COLUMNS = ("bucket", "due", "model", "key", "probability", "decision", "label", "slices")
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

    minute: npt.NDArray[np.int32]
    probability: Floats
    decided: Bools
    entity: npt.NDArray[np.uint32]
    label: Bools

    def __len__(self) -> int:
        return len(self.minute)

    def at(self, places: npt.NDArray[np.int64]) -> Columns:
        """Those at these places, in this order."""
        return Columns(*(getattr(self, name)[places] for name in self.__slots__))


Codes = npt.NDArray[np.unsignedinteger[Any]]
"""Places in a list, in as few bytes as its length needs."""
Levels = Mapping[str, tuple[list[str], Codes]]
"""By slice the levels that occur, and each outcome's place in them."""


@dataclass(eq=False, slots=True)
class Sliced:
    """The outcomes of one batch with their levels; arrays that the batch's groups are parts of are shared with them."""

    columns: Columns
    levels: Levels
    newest_bucket: int
    """Its start in seconds since 1970; -1 where there is no outcome."""
    newest_minute: int

    def forget(self) -> None:
        """Give the memory back: newer batches are enough."""
        self.columns, self.levels = self.columns.at(np.array([], np.int64)), {}


Groups = Mapping[MinuteOfModel, Scores]


class Batch(NamedTuple):
    """What is kept of some outcomes."""

    groups: Groups
    sliced: Sliced


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

    def classes(self) -> tuple[int, int]:
        """How many positives and negatives there are."""
        scores = [scores for _, scores in self._groups()]
        return sum(len(each.positives) for each in scores), sum(len(each.negatives) for each in scores)

    def _groups(self) -> Iterable[tuple[MinuteOfModel, Scores]]:
        return (item for part in self.parts for item in part.items() if item[0].bucket >= self.since_s)


@dataclass
class OutcomeReader:
    """The outcomes of one pipeline; each of the table's files is read once."""

    places: Places
    pipeline: Pipeline
    _files: TableFiles[Batch] = field(init=False)
    _just_read: tuple[Sliced, ...] = ()
    _outcomes: Outcomes = field(default_factory=Outcomes)

    def __post_init__(self) -> None:
        self._files = TableFiles(self.places.table(self.pipeline.name, "outcomes"), COLUMNS, self._batch)

    def read(self, since_s: float) -> Outcomes:
        """Outcomes of buckets since a moment, the same object while the table has no new version; none without one."""

        def is_wanted(partition: Partition) -> bool:
            return partition["state"] == "row" and int(partition["span"]) + self._span_s > int(since_s)

        try:
            if self._files.refresh(is_wanted):
                batches = self._files.made()
                groups = tuple(batch.groups for batch in batches)
                self._outcomes = Outcomes(groups, int(since_s), self._sliced([batch.sliced for batch in batches]))
                give_back()
        except TableNotFoundError:
            return Outcomes()
        finally:
            self._just_read = ()
        return self._outcomes

    def _batch(self, outcomes: pa.RecordBatch) -> Batch:
        """Of what a refresh reads, older outcomes forget their slices as soon as there are enough newer ones."""
        batch = batch_of(outcomes)
        self._just_read = newest_of([*self._just_read, batch.sliced])
        return batch

    def _sliced(self, batches: Sequence[Sliced]) -> tuple[Sliced, ...]:
        """The newest; those of spans that ended more than `SLICED_S` before the newest bucket forget their slices."""
        since_s = max((each.newest_bucket for each in batches), default=0) - SLICED_S
        old = [each for each in batches if each.newest_bucket // self._span_s * self._span_s + self._span_s <= since_s]
        for each in old:
            each.forget()
        return newest_of(each for each in batches if len(each.columns))

    @property
    def _span_s(self) -> int:
        return SPAN_BUCKETS * int(self.pipeline.lake.buckets.total_seconds())


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


def batch_of(outcomes: pa.RecordBatch) -> Batch:
    """What is kept of a batch with `COLUMNS`; a table of an earlier version lacks `slices`."""
    outcomes = outcomes.filter(is_possible(outcomes["probability"]))
    models, buckets = pc.dictionary_encode(outcomes["model"]), _ints(outcomes["bucket"])
    columns, model = _columns(outcomes), models.indices.to_numpy(zero_copy_only=False)
    order = in_order(columns, buckets, model)
    columns, bucket = columns.at(order), buckets[order]
    sliced = Sliced(
        columns,
        {name: (levels, codes[order]) for name, (levels, codes) in _levels(outcomes).items()},
        newest_bucket=int(buckets.max(initial=-1)),
        newest_minute=int(columns.minute.max(initial=-1)),
    )
    return Batch(grouped(columns, bucket, model[order], models.dictionary.to_pylist()), sliced)


def _columns(outcomes: pa.RecordBatch) -> Columns:
    minute = _ints(outcomes["due"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())) // MINUTE_US
    return Columns(
        minute=minute.astype(np.int32),
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


def _levels(outcomes: pa.RecordBatch) -> Levels:
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
        codes = np.array([places[level] for level in of_given], np.min_scalar_type(len(levels)))
        found[name] = levels, codes[rows]
    return found


def is_possible(probability: pa.Array) -> pa.Array:
    """Whether each is from 0 to 1: tables of an earlier version may hold others, which would spoil every figure."""
    return pc.fill_null(pc.and_(pc.greater_equal(probability, 0.0), pc.less_equal(probability, 1.0)), False)


def in_order(outcomes: Columns, bucket: npt.NDArray[np.int64], model: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The places of the outcomes in the order that `grouped` needs."""
    return np.lexsort((outcomes.probability, outcomes.label, model, outcomes.minute, bucket))


def grouped(
    ordered: Columns, bucket: npt.NDArray[np.int64], model: npt.NDArray[np.int32], models: Sequence[str]
) -> Groups:
    """Outcomes that are in the order of bucket, minute, model, label and probability, in groups.

    `model` is each one's place in `models`.
    """
    if not len(ordered):
        return {}
    changes = (np.diff(bucket) != 0) | (np.diff(ordered.minute) != 0) | (np.diff(model) != 0)
    found = {}
    for start, end in runs(changes):
        key = MinuteOfModel(int(bucket[start]), int(ordered.minute[start]), models[model[start]])
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
