"""Outcomes as plain objects, and the figures of them as straightforwardly as they can be computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from contract.records import TIMESTAMP
from monitoring.collect.outcomes import Outcomes, batch_of
from monitoring.judge.model_health import Realised
from training.evaluation.holdout_metrics import auc, log_loss


class Outcome(NamedTuple):
    """One prediction whose label is known; `due_s` in seconds since 1970.

    Without a `key` it is the only one of its entity. `slices` is the JSON object of its levels.
    """

    model: str
    due_s: float
    probability: float
    label: bool
    key: str = ""
    decided: bool = False
    slices: str | None = None


def collected(outcomes: Iterable[Outcome], parts: int = 1) -> Outcomes:
    """As the monitor collects them, from so many batches."""
    given = list(outcomes)
    given = [o if o.key else o._replace(key=f"alone {n}") for n, o in enumerate(given)]
    batches = [batch_of(as_batch(given[n::parts])) for n in range(parts)]
    return Outcomes(tuple(each.groups for each in batches), sliced=tuple(each.sliced for each in batches))


def as_batch(given: Sequence[Outcome]) -> pa.RecordBatch:
    """As they stand in the table `outcomes`."""
    return pa.record_batch({
        "bucket": pa.array([int(o.due_s // 60) * 60 for o in given], pa.int64()),
        "due": pa.array([datetime.fromtimestamp(o.due_s, UTC) for o in given], TIMESTAMP),
        "model": pa.array([o.model for o in given], pa.string()),
        "probability": pa.array([o.probability for o in given], pa.float64()),
        "label": pa.array([o.label for o in given], pa.bool_()),
        "key": pa.array([o.key or f"alone {n}" for n, o in enumerate(given)], pa.string()),
        "decision": pa.array(["positive" if o.decided else "negative" for o in given], pa.string()),
        "slices": pa.array([o.slices for o in given], pa.string()),
    })  # fmt: skip


def plain_by_minute(outcomes: Iterable[Outcome], minimum: int) -> list[Realised]:
    """For each minute, one span after the other until it has enough."""
    given = sorted(outcomes, key=lambda outcome: outcome.due_s)
    minutes = sorted({int(outcome.due_s // 60) for outcome in given})
    found = (_shortest(given, minutes[: n + 1], minimum) for n in range(len(minutes)))
    return [figures for figures in found if figures is not None]


def plain_by_model(outcomes: Iterable[Outcome], minimum: int) -> dict[str, Realised | None]:
    given = list(outcomes)
    models = sorted({outcome.model for outcome in given})
    return {model: plain([o for o in given if o.model == model], minimum) for model in models}


def plain(outcomes: Sequence[Outcome], minimum: int) -> Realised | None:
    """The figures of all of them without their intervals; None below the minimum of entities."""
    label = np.array([outcome.label for outcome in outcomes])
    probability = np.array([outcome.probability for outcome in outcomes])
    area = auc(probability, label)
    entities = [{o.key or n for n, o in enumerate(outcomes) if o.label == each} for each in (True, False)]
    if area is None or min(map(len, entities)) < minimum:
        return None
    first, last = (int(choose(o.due_s for o in outcomes) // 60) * 60 for choose in (min, max))
    newest = max(outcome.model for outcome in outcomes)
    loss, positives = log_loss(probability, label), int(label.sum())
    return Realised(last, last - first + 60, area, loss, len(outcomes), positives, newest)


def _shortest(given: Sequence[Outcome], minutes: Sequence[int], minimum: int) -> Realised | None:
    for start in reversed(minutes):
        span = [outcome for outcome in given if start <= outcome.due_s // 60 <= minutes[-1]]
        figures = plain(span, minimum)
        if figures is not None:
            return figures
    return None
