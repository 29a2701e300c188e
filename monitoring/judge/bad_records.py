"""Records that producers send and nothing can be made of: dead letters, and questions in quarantine."""

from __future__ import annotations

from collections.abc import Iterator

from contract import metrics
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StageInputs

LIKELY = {
    "not_json": "the producer sends another format than JSON",
    "not_an_object": "the producer sends JSON values that are no objects",
    "duplicate_field": "the producer writes a field twice",
    "wrong_type": "a field has another type than the pipeline file declares",
    "missing": "the producer leaves out a field that the pipeline file requires",
    "too_large": "the producer sends records that are larger than hotpath takes",
    "append_time": "an import states append times that are not milliseconds since 1970",
}
"""The likely cause by the reason of a dead letter."""
LIKELY_QUARANTINED = {
    "as_of_null": "the producer leaves out the event's time, or writes one that cannot be read",
    "due_null": "the expression of `[label] wait` gives no moment for these events",
    "as_of_in_1970": "the producer sends seconds since 1970 where milliseconds are meant, so every event is in 1970",
    "due": "the expression of `[label] wait` gives moments that are further away than `max_wait`",
    "as_of_past": "the producer sends old events again, or its clock is behind by more than `max_wait`",
    "as_of_future": "the producer's clock is ahead by more than `max_wait`",
}


def dead_letters(look: StageInputs) -> Iterator[Reading]:
    """For each topic of which records came: the share that could not be decoded in ten minutes."""
    name = look.pipeline.name
    by_topic = look.windows.by_label(metrics.DEAD_LETTERS, "topic", pipeline=name)
    own = (look.pipeline.events.topic, look.pipeline.label.topic, look.pipeline.predictions_topic)
    for topic in dict.fromkeys((*own, *by_topic)):
        dead = by_topic.get(topic, 0.0)
        records = dead + look.windows.increase(metrics.STREAM_RECORDS, pipeline=name, table=_table_of(look, topic))
        if not records:
            continue
        reasons = look.windows.by_label(metrics.DEAD_LETTERS, "reason", pipeline=name, topic=topic)
        reason = max(reasons, key=lambda each: reasons[each], default="")
        why = f", most often for the reason {reason}: {LIKELY.get(reason, 'see the table dead_letters')}"
        text = (
            f"{dead / records:.0%} of the last {records:,.0f} records of {topic} could not be decoded (dead letters)"
            f"{why if reason else ''}"
        )
        yield Reading(dead / records, text, topic, count=records)


def quarantined(look: StageInputs) -> Iterator[Reading]:
    """The share of the questions of ten minutes that are further than `max_wait` from the moment at which they came."""
    name, topic = look.pipeline.name, look.pipeline.events.topic
    questions = look.windows.increase(metrics.STREAM_RECORDS, pipeline=name, table="events")
    if not questions:
        return
    reasons = look.windows.by_label(metrics.QUARANTINED_QUESTIONS, "reason", pipeline=name)
    outside = sum(reasons.values())
    reason = max(reasons, key=lambda each: reasons[each], default="")
    why = LIKELY_QUARANTINED.get(reason, "see the bucket -1 of the table events")
    text = f"{outside / questions:.0%} of the last {questions:,.0f} questions of {topic} are quarantined"
    more = f", most often for the reason {reason}: {why}" if reason else ""
    yield Reading(outside / questions, text + more, count=questions)


def _table_of(look: StageInputs, topic: str) -> str:
    pipeline = look.pipeline
    tables = {
        pipeline.events.topic: "events",
        pipeline.label.topic: "labels",
        pipeline.predictions_topic: "predictions",
    }
    return tables.get(topic, "facts")
