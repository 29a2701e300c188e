"""In which state a question is: the rules, without Spark. Times are microseconds since 1970, UTC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class LabelSeen(NamedTuple):
    """A label of the question's entity whose value is not NULL. Its order is the order of corrections."""

    append_us: int
    partition: int
    offset: int
    value: bool


class Verdict(NamedTuple):
    """A question's state, and its label where the state is `row`."""

    state: str
    label: bool | None = None
    label_append_us: int | None = None
    label_missing: bool | None = None


DUPLICATE, KNOWN, EXPIRED = Verdict("duplicate"), Verdict("known"), Verdict("expired")


@dataclass(frozen=True)
class Rules:
    """What the pipeline says of labels that come late, or never."""

    max_late_us: int
    missing: bool | None


def state_of(first: bool, append_us: int, bucket_end_us: int, labels: Iterable[LabelSeen], rules: Rules) -> Verdict:
    """The state of a question whose bucket is past.

    `first`: no other record of the same question in its bucket was appended before it. Of the labels that were
    appended before the bucket's end plus `max_late`, the last one counts; one that was there when the question
    came would leak, whenever that was.
    """
    if not first:
        return DUPLICATE
    seen = list(labels)
    if any(label.append_us <= append_us for label in seen):
        return KNOWN
    last = max((label for label in seen if label.append_us < bucket_end_us + rules.max_late_us), default=None)
    if last is not None:
        return Verdict("row", last.value, last.append_us, False)
    return EXPIRED if rules.missing is None else Verdict("row", rules.missing, None, True)
