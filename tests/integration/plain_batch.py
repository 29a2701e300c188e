"""What one plain batch makes of a world's records. It knows nothing of Spark, Delta or the job: record by record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.integration.rows_world import MAX_LATE_S, MAX_WAIT_S, MINUTE_S, Record, moment


@dataclass(frozen=True)
class State:
    """What one plain batch says of a record."""

    state: str
    label: bool | None = None
    label_s: float | None = None


def is_late(outcome: float) -> bool:
    """The label's value in FILE."""
    return outcome > 0.5


def plain_batch(
    records: Iterable[Record],
    topic: str,
    missing: bool | None,
    closed_to_s: float,
    positive: Callable[[float], bool] = is_late,
) -> dict[Any, State]:
    """Place of each question's record -> its state, once everything that ends before `closed_to_s` is closed."""
    distinct = {(r.topic, r.place): r for r in records}.values()
    asked = sorted((r for r in distinct if r.topic == topic and not r.value.get("hypothetical")), key=lambda r: r.place)
    labels = sorted((r for r in distinct if r.topic == "happened"), key=lambda r: r.place)
    seen, states = set(), {}
    for record in asked:
        bucket_s = _bucket_s(record)
        if bucket_s is None:
            states[record.place] = State("quarantined")
            continue
        question = (bucket_s, record.value["id"], record.value.get("model"))
        repeated = question in seen
        seen.add(question)
        if bucket_s + MINUTE_S > closed_to_s:
            states[record.place] = State("waiting")
        elif repeated:
            states[record.place] = State("duplicate")
        else:
            states[record.place] = _labelled(record, bucket_s + MINUTE_S, labels, missing, positive)
    return states


def _bucket_s(record: Record) -> int | None:
    value = record.value
    as_of, due = value.get("at", value.get("as_of")), value.get("due_at", value.get("due"))
    if as_of is None or due is None:
        return None
    moments = [datetime.fromisoformat(given.replace("Z", "+00:00")) for given in (as_of, due)]
    reach = timedelta(seconds=MAX_WAIT_S)
    if any(abs(given - moment(record.append_s)) > reach for given in moments):
        return None
    return int(moments[1].timestamp()) // MINUTE_S * MINUTE_S


def _labelled(
    record: Record, end_s: int, labels: list[Record], missing: bool | None, positive: Callable[[float], bool]
) -> State:
    entity = record.value.get("entity") or json.loads(record.value["key"])[0]
    mine = [one for one in labels if one.value["entity"] == entity and one.value["outcome"] is not None]
    if mine and mine[0].append_s <= record.append_s:
        return State("known")
    counting = [one for one in mine if one.append_s < end_s + MAX_LATE_S]
    if counting:
        return State("row", positive(counting[-1].value["outcome"]), counting[-1].append_s)
    return State("expired") if missing is None else State("row", missing)
