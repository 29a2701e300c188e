"""For how long no question or label has come, and how many usually come in that time.

The time counts up to the moment to which the tables are complete: a Spark job or a mirror that stands is silent, too,
and that is another problem. What is usual is the median of the minutes before, which an import of history in one of
them does not move; where it is 0, nobody can tell silence from a quiet stream.
"""

from __future__ import annotations

from collections.abc import Iterator

from contract import metrics
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StageInputs


def silence(look: StageInputs, table: str, what: str, topic: str) -> Iterator[Reading]:
    """One reading, once a rhythm is known."""
    name = look.pipeline.name
    complete_s = look.value(metrics.STREAM_CAUGHT_UP_TO_SECONDS)
    last_s = look.windows.last_s(metrics.STREAM_RECORDS, pipeline=name, table=table)
    if complete_s is None or last_s is None or look.is_importing:
        return
    usual_per_s = look.windows.usual_per_s(metrics.STREAM_RECORDS, pipeline=name, table=table)
    silent_s = max(0.0, min(complete_s, look.now.time_s) - last_s)
    expected = silent_s * usual_per_s
    text = f"no {what} has come on {topic} for {silent_s:.0f} s, where {expected:,.0f} usually come in that time"
    # no silence is no lack of data, however few come
    yield Reading(silent_s, text, count=expected if silent_s else None)


def no_questions(look: StageInputs) -> Iterator[Reading]:
    return silence(look, "events", "question", look.pipeline.events.topic)


def no_labels(look: StageInputs) -> Iterator[Reading]:
    return silence(look, "labels", "label", look.pipeline.label.topic)
