"""In which state each question is, and which of several records of a question counts: the rules, in Arrow.

The rows job's builds and the monitor's provisional figures both use them. Nothing here needs Spark. Times are whole
microseconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.pipeline import Pipeline

ORDER: Final = ("append_time", "partition", "offset", "topic")
"""The first of several records of a question is the least in this order."""
CORRECTIONS: Final = ("append_us", "partition", "offset", "value")
"""The last of several labels of an entity is the greatest in this order."""
QUESTIONS: Final = pa.schema([
    pa.field("first", pa.bool_()),  # whether no other record of the question in its bucket was appended before it
    pa.field("append_us", pa.int64()),
    pa.field("bucket_end_us", pa.int64()),
])  # fmt: skip
LABELS: Final = pa.schema([
    pa.field("question", pa.int64()),  # the row number of the question in `questions`
    pa.field("append_us", pa.int64()),
    pa.field("partition", pa.int32()),
    pa.field("offset", pa.int64()),
    pa.field("value", pa.bool_()),
])  # fmt: skip
_NO: Final = pa.scalar(None, pa.bool_())
VERDICTS: Final = pa.schema([
    pa.field("state", pa.string()),  # row | duplicate | known | expired
    pa.field("label", pa.bool_()),
    pa.field("label_append_us", pa.int64()),
    pa.field("label_missing", pa.bool_()),
])  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What the pipeline says of labels that come late, or never."""

    max_late_us: int
    missing: bool | None


def rules_of(pipeline: Pipeline) -> Rules:
    return Rules(pipeline.label.max_late // timedelta(microseconds=1), pipeline.label.missing)


def states(questions: pa.Table, labels: pa.Table, rules: Rules) -> pa.Table:
    """The verdict on each question, in the order of the questions; the columns are those of VERDICTS.

    `questions` has the columns of QUESTIONS. `labels` has those of LABELS: one row for each pair of a question and a
    label of its entity whose value is not NULL, in any order, repeated ones included. The buckets of the questions
    count as past.

    A question that is not the first record is a duplicate. One whose entity had a label when it came is known: such
    a label would leak, however old it is. Otherwise the last label that was appended before the bucket's end plus
    `max_late` makes it a row. Without such a label it is a row with the value `missing`, or expired without one.
    """
    known = pc.fill_null(pc.less_equal(_earliest(questions, labels), questions["append_us"]), False)
    last = _last_in_time(questions, labels, rules)
    has_label = pc.is_valid(last["value"])
    is_row = pc.and_(questions["first"], pc.invert(known))
    unlabelled = "expired" if rules.missing is None else "row"
    cases = pc.make_struct(pc.invert(questions["first"]), known, has_label)
    state = pc.case_when(cases, "duplicate", "known", "row", pa.scalar(unlabelled, pa.string()))
    labelled = pc.and_(is_row, has_label)
    missing = pc.and_(is_row, pc.invert(has_label)) if rules.missing is not None else pc.and_(is_row, False)
    value = pc.if_else(labelled, last["value"], pc.if_else(missing, pa.scalar(rules.missing, pa.bool_()), _NO))
    columns = {
        "state": state,
        "label": value,
        "label_append_us": pc.if_else(labelled, last["append_us"], pa.scalar(None, pa.int64())),
        "label_missing": pc.if_else(pc.or_(labelled, missing), missing, _NO),
    }
    return pa.table([columns[field.name] for field in VERDICTS], schema=VERDICTS)


def first_of_each(records: pa.Table, question: Sequence[str]) -> pa.Table:
    """The first record of each question: of the records that agree in the columns `question`, the least by ORDER.

    A build resolves duplicates within a bucket: to agree with it, `question` must begin with `bucket`, as in
    `("bucket", "id", "model")` for predictions. A record that was read twice counts once.
    """
    ordered = records.sort_by([(name, "ascending") for name in ORDER])
    numbered = ordered.select(list(question)).append_column("row", _numbers(ordered.num_rows))
    first = numbered.group_by(list(question)).aggregate([("row", "min")])["row_min"]
    return ordered.take(first.combine_chunks().sort())


def _earliest(questions: pa.Table, labels: pa.Table) -> pa.ChunkedArray:
    """For each question the append time of its entity's first label; NULL without one."""
    found = labels.group_by("question").aggregate([("append_us", "min")])
    return found["append_us_min"].take(_places(questions, found["question"]))


def _last_in_time(questions: pa.Table, labels: pa.Table, rules: Rules) -> pa.Table:
    """For each question the last label of its entity that is not too late; NULL without one."""
    counts_until = pc.add(questions["bucket_end_us"].take(labels["question"]), rules.max_late_us)
    in_time = labels.filter(pc.less(labels["append_us"], counts_until))
    ordered = in_time.sort_by([(name, "ascending") for name in CORRECTIONS])
    numbered = ordered.select(["question"]).append_column("row", _numbers(ordered.num_rows))
    last = ordered.take(numbered.group_by("question").aggregate([("row", "max")])["row_max"])
    return last.take(_places(questions, last["question"]))


def _places(questions: pa.Table, found: pa.ChunkedArray) -> pa.Array:
    """For each question its place among those found; NULL where it is not."""
    return pc.index_in(_numbers(questions.num_rows), value_set=found)


def _numbers(count: int) -> pa.Array:
    return pa.array(np.arange(count, dtype=np.int64))
