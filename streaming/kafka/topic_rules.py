"""What may differ between a topic that hotpath did not make and what hotpath needs: one function for each rule.

What a rule finds either stops `up`, since records would be lost, falsified or held back for ever, or it is only worse
than it could be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from contract.topics import MAX_RECORD_BYTES
from streaming.kafka.pipeline_topics import FURTHEST_MS, PARTITIONS, Settings, Topic

SideName = Literal["onprem", "cloud"]


@dataclass(frozen=True)
class Existing:
    """A topic that exists and is not ours. `source_*` are those of the on-prem topic of the same name."""

    side: SideName
    wanted: Topic
    settings: Mapping[str, str]
    partitions: int
    source_partitions: int
    source_bytes: int

    @property
    def mirrored_into(self) -> bool:
        return self.side == "cloud" and self.wanted.mirrored

    @property
    def mirrored_from(self) -> bool:
        return self.side == "onprem" and self.wanted.mirrored


@dataclass(frozen=True)
class Finding:
    """What a rule has found, and what would change it."""

    text: str
    stops: bool = False
    settings: Settings = field(default_factory=dict)
    partitions: int = 0


def cleanup(topic: Existing) -> Iterator[Finding]:
    policy = topic.settings["cleanup.policy"]
    if topic.wanted.kind == "states":
        if policy != "compact":
            text = f"cleanup.policy is {policy}: a state that is old but still valid will be removed"
            yield Finding(text, settings={"cleanup.policy": "compact"})
    elif "compact" in policy.split(","):
        text = f"cleanup.policy is {policy}: of each key only the last record stays, the others are lost"
        yield Finding(text, topic.wanted.kind != "facts", {"cleanup.policy": "delete"})


def stamp(topic: Existing) -> Iterator[Finding]:
    kind = topic.settings["message.timestamp.type"]
    if topic.mirrored_into and kind != "CreateTime":
        text = f"message.timestamp.type is {kind}: the time of mirroring would replace the append time"
        yield Finding(text, True, {"message.timestamp.type": "CreateTime"})
    if topic.side == "onprem" and topic.wanted.kind not in ("states", "commands") and kind != "LogAppendTime":
        text = f"message.timestamp.type is {kind}: producers' clocks would become the append time"
        yield Finding(text, True, {"message.timestamp.type": "LogAppendTime"})


def size(topic: Existing) -> Iterator[Finding]:
    limit = int(topic.settings["max.message.bytes"])
    source = min(topic.source_bytes, MAX_RECORD_BYTES)
    largest = {"max.message.bytes": str(MAX_RECORD_BYTES)}
    if topic.mirrored_from and limit > MAX_RECORD_BYTES:
        yield Finding(
            f"max.message.bytes is {limit}: above {MAX_RECORD_BYTES} a record stops the mirror", True, largest
        )
    elif topic.mirrored_into and limit < source:
        text = f"max.message.bytes is {limit}, but {source} on-prem: a record between the two stops the mirror"
        yield Finding(text, True, largest)
    elif topic.wanted.kind in ("predictions", "states") and limit < MAX_RECORD_BYTES:
        yield Finding(f"max.message.bytes is {limit}: what hotpath writes above it is refused", False, largest)


def retention(topic: Existing) -> Iterator[Finding]:
    if topic.wanted.kind == "states":
        return
    kept, needed = int(topic.settings["retention.ms"]), int(topic.wanted.settings["retention.ms"])
    if 0 <= kept < needed:
        text = f"retention.ms is {kept}, {needed} is needed: an outage that lasts longer loses records"
        yield Finding(text, settings={"retention.ms": str(needed)})
    most = topic.settings.get("retention.bytes", "-1")
    if most != "-1":
        yield Finding(
            f"retention.bytes is {most}: records may go before their time", settings={"retention.bytes": "-1"}
        )


def clocks(topic: Existing) -> Iterator[Finding]:
    """How far a stamp that the mirror brings may be from the clock of the cloud's broker."""
    if not topic.mirrored_into:
        return
    after, before = "message.timestamp.after.max.ms", "message.timestamp.before.max.ms"
    if int(topic.settings[after]) < int(FURTHEST_MS):
        text = (
            f"{after} is {topic.settings[after]}: a record stamped further ahead of the cloud's clock stops the mirror"
        )
        yield Finding(text, settings={after: FURTHEST_MS})
    if int(topic.settings[before]) < int(topic.wanted.settings.get("retention.ms", FURTHEST_MS)):
        text = f"{before} is {topic.settings[before]}: a record that the mirror brings later than that stops it"
        yield Finding(text, settings={before: FURTHEST_MS})


def partitions(topic: Existing) -> Iterator[Finding]:
    have, source = topic.partitions, topic.source_partitions
    if topic.mirrored_into and have < source:
        text = f"it has {_counted(have)}, {source} on-prem: the mirror would add the others itself"
        yield Finding(text, True, partitions=source)
    elif topic.wanted.kind not in ("states", "commands") and have < PARTITIONS:
        yield Finding(f"it has {_counted(have)}: Spark reads it in one task", partitions=PARTITIONS)
    elif topic.wanted.kind == "commands" and have > 1:
        yield Finding(f"it has {_counted(have)}, of which only the first is read", True)


def _counted(number: int) -> str:
    return f"{number} partition{'' if number == 1 else 's'}"


RULES: Final[tuple[Callable[[Existing], Iterator[Finding]], ...]] = (
    *(cleanup, stamp, size, retention),
    *(clocks, partitions),
)
