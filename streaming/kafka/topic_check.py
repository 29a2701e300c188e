"""Comparing the topics of both sides with what hotpath needs, in words, each with the command that would change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaError

from contract.layout import Kafka
from contract.topics import MAX_RECORD_BYTES
from streaming.kafka import kafka_commands
from streaming.kafka.cluster_admin import NOT_ALLOWED, Found, KafkaAway
from streaming.kafka.pipeline_topics import Settings, Topic
from streaming.kafka.topic_rules import RULES, Existing, Finding, SideName

NEW_IN_3_6: Final = "message.timestamp.after.max.ms"
"""A setting of topics that came with Kafka 3.6: a broker that does not know it is older."""
_UNKNOWN: Final = "Unknown topic config name: message.timestamp."
"""What an older broker answers to a topic that is to be made with it, or with its twin `before`."""
_TOO_OLD: Final = f"this Kafka is older than 3.6, the oldest that hotpath can use: it has no {NEW_IN_3_6}"


@dataclass(frozen=True)
class Side:
    """The topics that hotpath needs in one cluster, those that exist, and the names of those that it may change."""

    name: SideName
    kafka: Kafka
    wanted: Mapping[str, Topic]
    found: Mapping[str, Found] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    refused: Mapping[str, KafkaError] = field(default_factory=dict)
    """Of the topics that are missing, those that the broker would not let us make."""

    def missing(self) -> list[Topic]:
        return [topic for name, topic in self.wanted.items() if name not in self.found]

    def partitions(self, name: str) -> int:
        """How many partitions the topic has, or will have once it is made."""
        found = self.found.get(name)
        if found and found.partitions:
            return found.partitions
        return self.wanted[name].partitions if name in self.wanted else 0

    def record_bytes(self, name: str) -> int:
        """The largest batch that the topic takes, or will take once hotpath has set it."""
        found = self.found.get(name)
        if found is None or found.settings is None or name in self.ours:
            return MAX_RECORD_BYTES if name in self.wanted else 0
        return int(found.settings["max.message.bytes"])


@dataclass(frozen=True)
class Difference:
    """What differs at one topic, or at a whole cluster; `settings` and `partitions` are what would mend it."""

    side: SideName
    where: str
    text: str
    stops: bool
    topic: str = ""
    settings: Settings = field(default_factory=dict)
    partitions: int = 0
    commands: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n    ".join([f"{self.where}: {self.text}", *self.commands])


def differences(onprem: Side, cloud: Side) -> list[Difference]:
    """Everything that differs, what stops `up` first. Topics that are ours are not looked at: they are set."""
    found = [each for side in (onprem, cloud) for each in _of_side(side, onprem)]
    return sorted(found, key=lambda each: not each.stops)


def away(side: Side, error: KafkaAway) -> Difference:
    """A Kafka that does not answer: its topics are checked when it does."""
    return Difference(side.name, _cluster(side), f"its topics are not checked yet: {error}", False)


def _of_side(side: Side, onprem: Side) -> Iterator[Difference]:
    if _is_too_old(side):
        yield Difference(side.name, _cluster(side), _TOO_OLD, True)
        return
    for name, wanted in side.wanted.items():
        if name in side.refused:
            yield _not_made(side, wanted, side.refused[name])
        elif name in side.found and name not in side.ours:
            yield from _of_topic(side, wanted, side.found[name], onprem)


def _is_too_old(side: Side) -> bool:
    known = [each.settings for each in side.found.values() if each.settings is not None]
    refused = [error.str() for error in side.refused.values()]
    return any(NEW_IN_3_6 not in settings for settings in known) or any(_UNKNOWN in text for text in refused)


def _of_topic(side: Side, wanted: Topic, found: Found, onprem: Side) -> Iterator[Difference]:
    if found.settings is None or found.partitions is None:
        yield _not_seen(side, wanted, exists=found.partitions is not None)
        return
    source = onprem.partitions(wanted.name), onprem.record_bytes(wanted.name)
    existing = Existing(side.name, wanted, found.settings, found.partitions, *source)
    for finding in (each for rule in RULES for each in rule(existing)):
        yield _told(side, wanted, finding)


def _not_seen(side: Side, wanted: Topic, exists: bool) -> Difference:
    """A login that may not even see a topic may not read it either; to a topic's settings it has a right of its own."""
    text = "its settings are not checked: the login lacks the right DescribeConfigs; who administers it gives it so:"
    operations = ["DescribeConfigs"]
    if not exists:
        text = "the login may not see it; who administers it gives the rights so:"
        operations = ["Read", "Write", *operations]
    command = kafka_commands.allow(side.kafka, wanted.name, operations)
    return Difference(side.name, _topic(side, wanted), text, not exists, wanted.name, commands=(command,))


def _told(side: Side, wanted: Topic, finding: Finding) -> Difference:
    commands = []
    if finding.settings:
        commands.append(kafka_commands.alter_settings(side.kafka, wanted.name, finding.settings))
    if finding.partitions:
        commands.append(kafka_commands.alter_partitions(side.kafka, wanted.name, finding.partitions))
    if not commands:
        commands.append(kafka_commands.delete_topic(side.kafka, wanted.name))
    place = _topic(side, wanted)
    changes = finding.settings, finding.partitions
    return Difference(side.name, place, finding.text, finding.stops, wanted.name, *changes, tuple(commands))


def _not_made(side: Side, wanted: Topic, error: KafkaError) -> Difference:
    why = "the login may not make it" if error.code() in NOT_ALLOWED else f"it cannot be made: {error.str()}"
    text = f"it does not exist, and {why}; make it:"
    command = kafka_commands.create_topic(side.kafka, wanted)
    return Difference(side.name, _topic(side, wanted), text, True, wanted.name, commands=(command,))


def _topic(side: Side, topic: Topic) -> str:
    return f"topic {topic.name} at the {_cluster(side)}"


def _cluster(side: Side) -> str:
    return f"{'on-prem' if side.name == 'onprem' else 'cloud'} Kafka {side.kafka.bootstrap}"
