"""The topics of pipelines at both brokers, with the settings on which the clocks and the mirror depend.

One list a side. A topic that several pipelines use is listed once, with the longest retention that one of them needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from contract.pipeline import Pipeline
from contract.topics import IMPORTS_TOPIC, MAX_RECORD_BYTES, MAX_UNPACKED_BYTES, PROGRESS_TOPIC, TRAINING_COMMANDS_TOPIC

PARTITIONS: Final = 2
LONGEST_RETENTION: Final = timedelta(days=1)
FURTHEST_MS: Final = str(2**63 // 1000 - 2**50)
"""How far a stamp may lie from the broker's clock: a quarter of a million years. Spark keeps a stamp as 64 bits of
microseconds. At a record whose stamp is further off, its reader of Kafka fails again and again, and no record behind is
read."""

Settings = Mapping[str, str]
Kind = Literal["events", "labels", "facts", "predictions", "commands", "states"]
"""What the records of a topic are; `states` are compacted, of each key the last one counts."""


@dataclass(frozen=True)
class Topic:
    """A topic as hotpath would make it."""

    name: str
    kind: Kind
    partitions: int
    settings: Settings
    mirrored: bool = True


def onprem_topics(*pipelines: Pipeline) -> list[Topic]:
    """On-prem: the broker stamps each record as it appends it."""
    stamped = {"message.timestamp.type": "LogAppendTime"}
    commands = [_commands(pipeline, stamped) for pipeline in pipelines]
    return _once([*_mirrored(pipelines, stamped), *commands, _states(IMPORTS_TOPIC, stamped, mirrored=False)])


def cloud_topics(*pipelines: Pipeline) -> list[Topic]:
    """In the cloud: the stamp that arrives stays, however long the mirror was away.

    The mirror compresses records anew, perhaps less well: whatever was taken on-prem is taken here.
    """
    largest = str(MAX_UNPACKED_BYTES + MAX_RECORD_BYTES)
    kept = {"message.timestamp.type": "CreateTime", "max.message.bytes": largest}
    own = [_states(name, kept, mirrored=False) for name in (PROGRESS_TOPIC, TRAINING_COMMANDS_TOPIC)]
    return _once([*_mirrored(pipelines, kept), *own])


def _mirrored(pipelines: Iterable[Pipeline], stamp: Settings) -> Iterable[Topic]:
    for pipeline in pipelines:
        kinds: dict[str, Kind] = {
            pipeline.events.topic: "events",
            pipeline.label.topic: "labels",
            pipeline.predictions_topic: "predictions",
        }
        settings = _retained(min(pipeline.lake.retention, LONGEST_RETENTION), stamp)
        for name in pipeline.mirrored_topics:
            if name == pipeline.models_topic:
                yield _states(name, stamp)
            else:
                yield Topic(name, kinds.get(name, "facts"), PARTITIONS, settings)


def _once(topics: Iterable[Topic]) -> list[Topic]:
    """Each topic once. One that holds states for one pipeline and is read as facts by another stays compacted."""
    found: dict[str, Topic] = {}
    for topic in topics:
        found[topic.name] = _joined(found[topic.name], topic) if topic.name in found else topic
    return list(found.values())


def _joined(one: Topic, other: Topic) -> Topic:
    """What is facts to one pipeline is to the other what it was made for."""
    main = other if one.kind == "facts" or other.kind == "states" else one
    mirrored = one.mirrored or other.mirrored
    if main.kind == "states":
        return replace(main, mirrored=mirrored)
    longest = max(one.settings, other.settings, key=lambda settings: int(settings["retention.ms"]))
    return replace(main, settings=longest, mirrored=mirrored)


def _commands(pipeline: Pipeline, stamp: Settings) -> Topic:
    """One partition, so that commands have an order. One that no rollout has read within a day is void."""
    return Topic(pipeline.commands_topic, "commands", 1, _retained(LONGEST_RETENTION, stamp), mirrored=False)


def _states(name: str, stamp: Settings, *, mirrored: bool = True) -> Topic:
    rolled = {"segment.ms": "600000", "min.cleanable.dirty.ratio": "0.2"}
    return Topic(name, "states", 1, {"cleanup.policy": "compact", **rolled} | _common(stamp), mirrored)


def _retained(retention: timedelta, stamp: Settings) -> Settings:
    kept_ms = max(retention, timedelta(hours=1)) // timedelta(milliseconds=1)
    rolled_ms = min(kept_ms, 3_600_000)
    return {"cleanup.policy": "delete", "retention.ms": str(kept_ms), "segment.ms": str(rolled_ms)} | _common(stamp)


def _common(stamp: Settings) -> dict[str, str]:
    """Settings of every topic.

    Both sides set all of them: a mirror that synchronised settings would unset in the cloud what on-prem does not set.
    """
    size = {"max.message.bytes": str(MAX_RECORD_BYTES), "segment.bytes": str(64 * 1024 * 1024)}
    reach = {f"message.timestamp.{way}.max.ms": FURTHEST_MS for way in ("after", "before")}
    return {**reach, **size, **stamp}
