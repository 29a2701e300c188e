"""What is read of the rollout, the scorers, their answers and the predictions on their way to the tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contract import metrics
from monitoring.influx.influx_points import quantile
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StageInputs
from monitoring.judge.wording import in_words

LATENCY_OVER_S: Final = 120.0
SLOWEST: Final = 0.99


def late_replay(look: StageInputs) -> Iterator[Reading]:
    behind = look.now.largest(metrics.REPLAY_BEHIND_SECONDS)
    if behind is not None:
        yield Reading(behind, f"the replay is {behind:.0f} s behind")


def unsent_states(look: StageInputs) -> Iterator[Reading]:
    unsent = look.value(metrics.UNSENT_MODEL_STATES)
    if unsent is not None:
        yield Reading(unsent, f"{unsent:.0f} model states wait for the on-prem broker")


def no_scorer_starts(look: StageInputs) -> Iterator[Reading]:
    for sample in look.now.find(metrics.HOST_TROUBLE, pipeline=look.pipeline.name):
        yield Reading(1, f"no scorer can start on this host: {sample.labels['reason']}")


def own_errors(look: StageInputs) -> Iterator[Reading]:
    failed = look.windows.increase(metrics.REQUESTS, pipeline=look.pipeline.name, status="500")
    yield Reading(failed, f"{failed:.0f} answers of the last ten minutes were errors of ours")


def answer_seconds(look: StageInputs) -> Iterator[Reading]:
    """The 99th percentile, as far as the histogram's buckets tell it."""
    bounds = look.windows.by_bound(metrics.REQUEST_SECONDS, LATENCY_OVER_S, pipeline=look.pipeline.name)
    if bounds and bounds[-1][1]:
        slow_s = quantile(SLOWEST, bounds)
        yield Reading(slow_s, f"one of a hundred answers takes {in_words(slow_s)} or more", count=bounds[-1][1])


def unread_tables(look: StageInputs) -> Iterator[Reading]:
    unread_s = look.since(look.lake_read_s)
    if unread_s is not None:
        yield Reading(unread_s, f"the tables could not be read for {unread_s:.0f} s: is HDFS well?")


def predictions_on_disk(look: StageInputs) -> Iterator[Reading]:
    waiting = look.value(metrics.PREDICTION_SPOOL)
    if waiting is not None:
        yield Reading(waiting, f"{waiting / 1e6:,.1f} MB of predictions wait on disk: is the on-prem Kafka well?")


def predictions_lost(look: StageInputs) -> Iterator[Reading]:
    by_outcome = look.windows.by_label(metrics.PREDICTIONS_LOGGED, "outcome", pipeline=look.pipeline.name)
    lost = by_outcome.get("refused", 0) + by_outcome.get("dropped", 0)
    yield Reading(lost, f"{lost:.0f} predictions of the last ten minutes could not be logged")
