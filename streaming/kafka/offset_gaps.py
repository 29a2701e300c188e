"""Which records a reader can no longer read: those before the first offset that is held, or of an earlier topic."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from confluent_kafka import Consumer, KafkaException, TopicPartition

from contract.layout import Kafka
from contract.messages.progress import LossNotice
from streaming.kafka.partition_ends import Ends, Partition
from streaming.kafka.retriable import is_retriable

Offsets = Mapping[Partition, int]
STAMP_S = 5.0


@dataclass(frozen=True)
class Gap:
    """What a reader that stood at `start` has lost of a partition, on its way to some end."""

    partition: Partition
    start: int
    first: int
    """The first offset that is held."""
    until: int | None
    """Exclusive: the end of what is lost. None for a topic that was made anew, whose old end is not known."""

    @property
    def made_anew(self) -> bool:
        """The topic was removed and made again: its offsets began anew, below `start`."""
        return self.until is None


def gaps(start: Offsets, end: Offsets, first: Offsets, made_anew: Collection[str] = ()) -> list[Gap]:
    """What a reader that stood at `start` cannot read on its way to `end`, of the partitions that all three know.

    `made_anew`: topics that are known to be others than those in which `start` was.
    """
    known = sorted(start.keys() & end.keys() & first.keys())
    is_anew = {of for of in known if end[of] < start[of] or (of[0] in made_anew and start[of] > 0)}
    anew = [Gap(of, start[of], first[of], None) for of in known if of in is_anew]
    steady = [of for of in known if of not in is_anew]
    taken = [Gap(of, start[of], first[of], min(first[of], end[of])) for of in steady if start[of] < end[of]]
    return anew + [gap for gap in taken if gap.until is not None and gap.until > gap.start]


def first_offsets(ends: Ends, partitions: Collection[Partition], within_s: float) -> dict[Partition, int]:
    """The first offset that is held of each partition; an answer that is not there yet is waited for.

    Raises:
        TimeoutError: a partition has no answer within this time.
        KafkaException: the broker refuses.
    """
    until, why = time.monotonic() + within_s, ""
    while True:
        try:
            found = ends.first(list(partitions))
            why = f"no answer for {sorted(set(partitions) - found.keys())}"
            if len(found) == len(partitions):
                return found
        except KafkaException as error:
            if not is_retriable(error):
                raise
            why = str(error)
        if time.monotonic() > until:
            raise TimeoutError(f"the first offsets that are held are not known after {within_s:g} s: {why}")
        time.sleep(0.5)


def loss_notice(
    kafka: Kafka, where: Literal["mirror", "hot query"], gap: Gap, after_ms: int | None, now_ms: int
) -> LossNotice:
    """What is known of the lost records; the first record that is held tells before which moment they were stamped."""
    held_ms = stamp_at(kafka, gap.partition, gap.first, STAMP_S)
    return LossNotice(
        where=where,
        topic=gap.partition[0],
        partition=gap.partition[1],
        from_offset=gap.start,
        to_offset=gap.until,
        count=None if gap.until is None else gap.until - gap.start,
        after_ms=after_ms,
        before_ms=max(now_ms if held_ms is None else held_ms + 1, after_ms or 0),
        at_ms=now_ms,
    )


def stamp_at(kafka: Kafka, partition: Partition, offset: int, timeout_s: float) -> int | None:
    """The broker's stamp of the first record at an offset or after it, in milliseconds; None where none comes."""
    settings = kafka.client(group_id="hotpath-stamps", enable_auto_commit=False, auto_offset_reset="earliest")
    consumer = Consumer(settings | {"isolation.level": "read_committed", "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(*partition, offset)])
        message = consumer.poll(timeout_s)
        if message is None or message.error() is not None:
            return None
        return int(message.timestamp()[1])
    finally:
        consumer.close()
