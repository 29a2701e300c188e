"""Provisional outcomes: predictions whose label is there although their bucket is not built yet.

They favour whatever finishes first: they are shown as provisional, and nothing is decided by them. Which label counts
is decided by the rules of the rows job.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import TableNotFoundError

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import TIMESTAMP
from monitoring.collect.outcomes import MINUTE_US, Columns, Groups, Outcomes, grouped, in_order, is_possible
from monitoring.collect.table_files import Partition, TableFiles
from monitoring.process_memory import give_back
from streaming._native import Transform
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.rows.state_rules import LABELS, QUESTIONS, Rules, first_of_each, rules_of, states

EVERY_S = 30.0
SHARE = 10
"""It rests for so many times as long as a look took: where there is very much, looks are fewer."""
NEWEST_US = 60 * 1_000_000
FEWEST_NEWEST = 100
"""The newest answers are those of a minute; where they are fewer than this, so many."""
AT_ONCE = 50_000
"""About so many predictions are joined at once, which bounds the memory of the join."""
SECOND_US = 1_000_000
_PREDICTION = (
    "id",
    "key",
    "model",
    "due",
    "probability",
    "decision",
    "append_time",
    "partition",
    "offset",
    "hypothetical",
)
_LABEL = ("key", "append_time", "partition", "offset", "label")
PREDICTIONS = pa.schema([
    pa.field("id", pa.int64()),  # hashes stand for texts: a record takes 53 bytes, whatever its id and key
    pa.field("key", pa.int64()),
    pa.field("model", pa.int32()),  # a place in a list of versions
    pa.field("due", TIMESTAMP),
    pa.field("probability", pa.float64()),
    pa.field("decided", pa.bool_()),  # whether the decision was positive
    pa.field("append_time", TIMESTAMP),
    pa.field("partition", pa.int32()),
    pa.field("offset", pa.int64()),
])  # fmt: skip
"""Predictions that may become outcomes, as they are kept."""
CAME = pa.schema([pa.field("key", pa.int64()), *(LABELS.field(n) for n in LABELS.names if n != "question")])
"""Labels whose value is not NULL, as they are kept."""


@dataclass(frozen=True)
class NewestAnswers:
    """Of the newest answers of a model version, whether their labels are there or not: how many, and how different."""

    answers: int
    probabilities: int
    """How many different ones."""


@dataclass
class ProvisionalReader:
    """Looks at most every `EVERY_S`, as both tables get a version every few seconds; reads each of their files once."""

    places: Places
    pipeline: Pipeline
    newest: Mapping[str, NewestAnswers] = field(default_factory=dict)
    """By model version, of those that answered last; as of the last `read`."""
    _next_look_s: float = 0.0
    _outcomes: Outcomes = field(default_factory=Outcomes)
    _models: list[str] = field(default_factory=list)
    _predictions: TableFiles[pa.RecordBatch] = field(init=False)
    _labels: TableFiles[pa.RecordBatch] = field(init=False)
    _transform: Transform = field(init=False)

    def __post_init__(self) -> None:
        name = self.pipeline.name
        self._transform = Transform(compile_pipeline(self.pipeline).spec)
        self._predictions = TableFiles(self.places.table(name, "predictions"), _PREDICTION, self._prediction)
        self._labels = TableFiles(self.places.table(name, "labels"), _LABEL, self._label)

    def read(self, since_s: float) -> Outcomes:
        """Of the predictions due since a moment, those with a label; none while a table is missing."""
        began_s = time.monotonic()
        if began_s >= self._next_look_s:
            self._outcomes = self._look(since_s)
            ended_s = time.monotonic()
            self._next_look_s = ended_s + max(EVERY_S, SHARE * (ended_s - began_s))
        return self._outcomes

    def _look(self, since_s: float) -> Outcomes:
        reach_s = self.pipeline.label.max_wait.total_seconds() + 3600

        def is_due(partition: Partition) -> bool:
            return int(partition["bucket"]) >= int(since_s)

        def is_recent(partition: Partition) -> bool:
            return int(partition["append_hour"]) >= int(since_s - reach_s)

        try:
            changed = [self._predictions.refresh(is_due)]
            if changed[0]:
                self.newest = newest_answers(self._predictions.made(), self._models)
            changed.append(self._labels.refresh(is_recent))
        except TableNotFoundError:
            return Outcomes()
        if not any(changed):
            return self._outcomes
        give_back()
        predictions = pa.Table.from_batches(self._predictions.made(), PREDICTIONS)
        labels = pa.Table.from_batches(self._labels.made(), CAME)
        outcomes = Outcomes(tuple(self._joined(predictions, labels)))
        give_back()
        return outcomes

    def _joined(self, predictions: pa.Table, labels: pa.Table) -> Iterator[Groups]:
        """Slice by slice: predictions and labels of one key are in the same one."""
        slices, rules = 1 + predictions.num_rows // AT_ONCE, rules_of(self.pipeline)
        of_prediction, of_label = (
            (np.asarray(each["key"]) % slices).astype(np.uint16) for each in (predictions, labels)
        )
        for number in range(slices):
            mine = predictions.filter(pa.array(of_prediction == number))
            yield joined(mine, labels.filter(pa.array(of_label == number)), self._models, rules, self._bucket_s)

    @property
    def _bucket_s(self) -> int:
        return self.pipeline.lake.buckets // timedelta(seconds=1)

    def _prediction(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        asked = batch.filter(pc.and_(pc.invert(batch["hypothetical"]), pc.is_valid(batch["due"])))
        asked = asked.filter(is_possible(asked["probability"]))
        columns = {name: asked[name] for name in ("due", "probability", "append_time", "partition", "offset")}
        columns["decided"] = pc.fill_null(pc.equal(asked["decision"], "positive"), False)
        columns |= {"id": _hashes(asked["id"]), "key": _hashes(asked["key"]), "model": self._numbers(asked["model"])}
        return pa.record_batch([columns[f.name].cast(f.type) for f in PREDICTIONS], schema=PREDICTIONS)

    def _numbers(self, models: pa.Array) -> pa.Array:
        """Each version's place in `_models`."""
        encoded = pc.dictionary_encode(models)
        for model in encoded.dictionary.to_pylist():
            if model not in self._models:
                self._models.append(model)
        places = np.array([self._models.index(model) for model in encoded.dictionary.to_pylist()], np.int32)
        return pa.array(places[np.asarray(encoded.indices)] if len(places) else places)

    def _label(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        values = pa.record_batch(self._transform.label_values(batch.select(["label"])))["value"]
        columns = {name: batch[name] for name in ("partition", "offset")} | {"key": _hashes(batch["key"])}
        columns |= {"append_us": batch["append_time"].cast(TIMESTAMP).cast(pa.int64()), "value": values}
        came = pa.record_batch([columns[f.name].cast(f.type) for f in CAME], schema=CAME)
        return came.filter(pc.is_valid(came["value"]))


def newest_answers(predictions: Sequence[pa.RecordBatch], models: Sequence[str]) -> dict[str, NewestAnswers]:
    """By model version; of `PREDICTIONS`, whose `model` is a place in `models`."""
    parts: dict[int, list[pa.RecordBatch]] = {}
    for batch in predictions:
        for place in pc.unique(batch["model"]).to_pylist():
            parts.setdefault(place, []).append(_newest_of(batch.filter(pc.equal(batch["model"], place))))
    return {models[place]: _told(pa.Table.from_batches(mine)) for place, mine in sorted(parts.items())}


def _newest_of(predictions: pa.RecordBatch) -> pa.RecordBatch:
    """Time and probability of a minute's, or of `FEWEST_NEWEST`; those of several parts are among those of each."""
    told = predictions.select(["append_time", "probability"])
    order = pc.sort_indices(told, sort_keys=[("append_time", "descending")])
    appended_us = np.asarray(told["append_time"].cast(pa.int64()).take(order))
    count = max(FEWEST_NEWEST, int(np.count_nonzero(appended_us > appended_us[0] - NEWEST_US)))
    return told.take(order[:count])


def _told(parts: pa.Table) -> NewestAnswers:
    newest = _newest_of(parts.combine_chunks().to_batches()[0])
    return NewestAnswers(newest.num_rows, pc.count_distinct(newest["probability"]).as_py())


def joined(predictions: pa.Table, labels: pa.Table, models: list[str], rules: Rules, bucket_s: int) -> Groups:
    """The predictions that are rows by the labels that have come so far; `model` is a place in `models`."""
    awaited = predictions.filter(pc.is_in(predictions["key"], labels["key"].combine_chunks()))
    due_s = np.asarray(awaited["due"].cast(pa.int64())) // SECOND_US
    awaited = awaited.append_column("bucket", pa.array(due_s // bucket_s * bucket_s, pa.int64()))
    asked = awaited.append_column("topic", pa.nulls(awaited.num_rows, pa.int8()))
    asked = first_of_each(asked, ("bucket", "id", "model"))
    numbers = pa.table({"key": asked["key"], "question": np.arange(asked.num_rows)})
    pairs = numbers.join(labels, "key", join_type="inner").select(LABELS.names).cast(LABELS)
    questions = pa.table(
        [
            pa.array(np.full(asked.num_rows, True)),
            asked["append_time"].cast(pa.int64()),
            pc.multiply(pc.add(asked["bucket"], bucket_s), SECOND_US),
        ],
        schema=QUESTIONS,
    )
    verdicts = states(questions, pairs, rules)
    has_come = pc.fill_null(pc.and_(pc.equal(verdicts["state"], "row"), pc.invert(verdicts["label_missing"])), False)
    rows, label = asked.filter(has_come), verdicts["label"].filter(has_come)
    columns = Columns(
        minute=(np.asarray(rows["due"].cast(pa.int64()), np.int64) // MINUTE_US).astype(np.int32),
        probability=np.asarray(rows["probability"], np.float64),
        decided=np.asarray(rows["decided"], np.bool_),
        entity=np.asarray(rows["key"], np.int64).astype(np.uint32),
        label=np.asarray(label, np.bool_),
    )
    bucket, model = np.asarray(rows["bucket"], np.int64), np.asarray(rows["model"], np.int32)
    order = in_order(columns, bucket, model)
    return grouped(columns.at(order), bucket[order], model[order], models)


def _hashes(texts: pa.Array) -> pa.Array:
    """64 bits that stand for each text within this process: of five million, two agree once in a million runs."""
    return pa.array(_hashed(texts))


def _hashed(texts: pa.Array) -> npt.NDArray[np.int64]:
    return np.fromiter(map(hash, texts.to_pylist()), np.int64, len(texts))
