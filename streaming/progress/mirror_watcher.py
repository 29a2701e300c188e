"""The watcher beside the mirror: says every second, per partition, up to which moment all has been mirrored.

Run as `python -m streaming.progress.mirror_watcher`. It reaches both brokers, so that the streaming process in the
cloud learns of the on-prem side through it.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterable, Mapping

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from msgspec import structs

from contract import metrics
from contract.layout import Kafka, Places
from contract.log_lines import start_logging
from contract.messages.codec import Unreadable, encode
from contract.messages.progress import LossNotice, ProgressUpdate, partition_of, read_progress
from contract.metrics import (
    IMPORT_NEWS_SECONDS,
    IMPORT_OPEN,
    MIRROR_CAUGHT_UP_TO_SECONDS,
    MIRROR_LAG_RECORDS,
    PROBLEMS,
    WATCHER_LOOKED_SECONDS,
)
from contract.pipeline import Pipeline
from contract.topics import IMPORTS_TOPIC, PROGRESS_TOPIC
from streaming.kafka.offset_gaps import Gap, Offsets, gaps, loss_notice
from streaming.kafka.partition_ends import Ends
from streaming.kafka.topic_ids import TopicIds
from streaming.kafka.topic_reader import TopicReader, holds_no_record, pass_over
from streaming.lake import hang_watchdog
from streaming.lake.hang_watchdog import expected_back
from streaming.pipeline_file.deployed_files import Deployed
from streaming.progress.mirror_watermark import MIRROR_OFFSETS, MirrorLevel, Partition, parse_mirrored
from streaming.progress.open_imports import OpenImports

log = logging.getLogger("watcher")

EVERY_S = 1.0
UPDATES_WITHIN_S = 10.0
CLOCKS_APART_MS = 1000
"""How far a broker's clock may be behind ours. A record is then still stamped after every moment published before."""
LOOK_S = 300.0
"""A look that takes longer hangs: each of its questions to the brokers has a time limit of a few seconds."""


class Watcher:
    """Looks at both sides and publishes what it sees; `look` is one turn."""

    def __init__(self, places: Places) -> None:
        self._onprem = places.onprem
        self._onprem_ends, self._cloud_ends = Ends(places.onprem), Ends(places.cloud)
        self._mirror = TopicReader(places.cloud, MIRROR_OFFSETS)
        # uncommitted, as its ends are: else somebody's open transaction would hold up every look
        self._imports = TopicReader(places.onprem, IMPORTS_TOPIC, committed=False)
        self._producer = publisher(places.cloud)
        self._refusals: list[str] = []
        """Why what was produced since the last flush did not reach the cloud."""
        self._levels: dict[Partition, MirrorLevel] = {}
        self._mirrored: dict[Partition, int] = {}
        self._open = OpenImports()
        self._empty: set[tuple[Partition, int, int]] = set()
        """(partition, mirrored, end) where nothing but markers lies between the two offsets."""
        self._ids = TopicIds(places.onprem)
        self._told: dict[Partition, ProgressUpdate] | None = None
        """The last update of each partition, at first those of the watcher before; None: not read yet."""
        self._topics: set[str] = set()
        """Those of the look before."""
        self._cloud = places.cloud
        self._untold: dict[str, LossNotice] = {}
        """By id, the losses that are not published yet."""

    def look(self, topics: list[str], now_ms: int) -> None:
        """Read the on-prem ends, then the imports, the mirror and the cloud's ends, in this order, and publish.

        Raises:
            KafkaException, TimeoutError: a broker is away; nothing was published.
        """
        moment_ms = now_ms - CLOCKS_APART_MS
        self._take_up(topics)
        ids, told = self._ids.of(topics), self._last_told()
        partitions = self._onprem_ends.partitions(topics)
        imports = self._onprem_ends.partitions([IMPORTS_TOPIC])
        ends = self._onprem_ends.last(partitions + imports)
        firsts = self._onprem_ends.first(partitions)
        self._read_imports({number: end for (topic, number), end in ends.items() if topic == IMPORTS_TOPIC}, imports)
        made_anew = {of for of, last in told.items() if last.topic_id is not None and _differs(last, ids)}
        before = {of: told[of].mirrored_offset for of in made_anew} | self._mirrored
        self._read_mirror()
        self._find_losses(before, ends, firsts, made_anew, now_ms)
        self._publish_losses()
        told |= {of: structs.replace(told[of], topic_id=ids[of[0]]) for of in made_anew}  # it is told once
        cloud_ends = self._cloud_ends.last(partitions)
        for partition in partitions:
            if partition in cloud_ends.keys() & ends.keys() & firsts.keys():
                mirrored = max(self._mirrored.get(partition, 0), firsts[partition])
                level = self._level(partition, moment_ms, ends[partition], mirrored)
                offsets = cloud_ends[partition], ends[partition], mirrored
                self._publish(partition, level, offsets, ids.get(partition[0]), now_ms)
        measure_imports(topics, self._open)
        self._flush()

    def _take_up(self, topics: Collection[str]) -> None:
        """Topics that come and go: one that comes may be another one than the last of that name.

        A reset deletes what was told and mirrored of a topic from the topics that are read here; for one that merely
        went for a while it is still there.
        """
        came, went = set(topics) - self._topics, self._topics - set(topics)
        self._levels = {of: level for of, level in self._levels.items() if of[0] not in went}
        self._empty = {gap for gap in self._empty if gap[0][0] not in went}
        if came and self._told is not None:
            self._read_mirror()
            told = self._read_told()
            others = {of: last for of, last in self._told.items() if of[0] not in came}
            self._told = others | {of: last for of, last in told.items() if of[0] in came}
        self._topics = set(topics)

    def _last_told(self) -> dict[Partition, ProgressUpdate]:
        """The last update of each partition, of whatever watcher.

        Raises:
            TimeoutError: those of the watcher before cannot be read.
        """
        if self._told is None:
            self._told = self._read_told()
        return self._told

    def _read_told(self) -> dict[Partition, ProgressUpdate]:
        reader = TopicReader(self._cloud, PROGRESS_TOPIC)
        try:
            return last_updates(reader.to_end(UPDATES_WITHIN_S))
        finally:
            reader.close()

    def _read_imports(self, ends: dict[int, int], partitions: list[Partition]) -> None:
        if len(ends) < len(partitions):
            raise TimeoutError(f"{IMPORTS_TOPIC} has no leader yet, so that nobody knows which imports are open")
        for message in self._imports.records_up_to(ends, timeout_s=5):
            self._open.take(message)

    def _read_mirror(self) -> None:
        for message in self._mirror.news():
            try:
                parsed = parse_mirrored(message.key() or b"[]", message.value())
            except ValueError as error:
                pass_over(message, error)
                continue
            if parsed is not None:
                partition, offset = parsed
                if offset is None:
                    self._mirrored.pop(partition, None)
                else:
                    self._mirrored[partition] = offset

    def _find_losses(
        self, before: Offsets, ends: Offsets, firsts: Offsets, made_anew: Collection[Partition], now_ms: int
    ) -> None:
        """Note the records that the mirror can no longer carry; it goes on by itself with the first one that is held.

        `before` is how far the mirror had come before `ends` were read: an end below it is that of a topic made anew.
        In a topic that is known as such by its id and has come further already, the mirror goes on at its old offset.
        """
        known = before.keys() & ends.keys() & firsts.keys()
        anew = [of for of in known if ends[of] < before[of] or (of in made_anew and before[of] > 0)]
        carried = {of: offset for of, offset in self._carried().items() if of in firsts and of not in anew}
        taken = gaps(carried, {of: max(offset, firsts[of]) for of, offset in carried.items()}, firsts)
        for gap in [Gap(of, before[of], firsts[of], None) for of in anew] + taken:
            level, last = self._levels.get(gap.partition), (self._told or {}).get(gap.partition)
            after_ms = level.caught_up_to_ms if level else last.caught_up_to_ms if last else None
            notice = loss_notice(self._onprem, "mirror", gap, after_ms, now_ms)
            self._untold[notice.id] = notice
            log.error("records lost topic=%s partition=%d from=%d to=%s", *gap.partition, gap.start, gap.until)
            if gap.made_anew and level:
                level.forget_ends()
            goes_on_behind = gap.made_anew and ends[gap.partition] >= gap.start
            if not goes_on_behind and (not gap.made_anew or self._mirrored[gap.partition] == gap.start):
                self._mirrored[gap.partition] = gap.first

    def _publish_losses(self) -> None:
        """Losses are in the cloud before the updates that count past them, whatever partition each goes to."""
        for notice in self._untold.values():
            self._producer.produce(PROGRESS_TOPIC, encode(notice), notice.key, on_delivery=self._delivered)
        if self._untold:
            self._flush()
        self._untold.clear()

    def _carried(self) -> dict[Partition, int]:
        """How far the mirror has come; markers alone after it would be no loss."""
        return self._mirrored | {of: end for of, mirrored, end in self._empty if self._mirrored.get(of) == mirrored}

    def _level(self, partition: Partition, moment_ms: int, end: int, mirrored: int) -> MirrorLevel:
        """The partition's level after this look; it stands still while an import is open."""
        is_first_look = partition not in self._levels
        level = self._levels.setdefault(partition, MirrorLevel())
        level.see(moment_ms, end)
        # at the first look, this is a record that came meanwhile or a topic that was made anew: the next one tells
        is_unclear = is_first_look and mirrored > end
        if partition[0] not in self._open and not is_unclear:
            level.rise(end if self._only_markers(partition, level, mirrored, end) else mirrored)
        return level

    def _only_markers(self, partition: Partition, level: MirrorLevel, mirrored: int, end: int) -> bool:
        """An end that rests just after the last mirrored record may be markers, which are never mirrored."""
        gap = (partition, mirrored, end)
        if mirrored >= end or not level.rests() or gap in self._empty:
            return gap in self._empty
        if holds_no_record(self._onprem, *partition, mirrored, end, timeout_s=4):
            self._empty = {other for other in self._empty if other[0] != partition} | {gap}
        return gap in self._empty

    def _publish(
        self,
        partition: Partition,
        level: MirrorLevel,
        offsets: tuple[int, int, int],
        topic_id: str | None,
        now_ms: int,
    ) -> None:
        """`offsets`: the ends in the cloud and on-prem, and how far the mirror has come."""
        (topic, number), (cloud_end, end, mirrored) = partition, offsets
        measure(partition, level, 0 if (partition, mirrored, end) in self._empty else end - mirrored)
        if level.caught_up_to_ms is None:
            return
        update = ProgressUpdate(
            topic=topic,
            partition=number,
            caught_up_to_ms=level.caught_up_to_ms,
            cloud_offset=cloud_end,
            onprem_offset=end,
            mirrored_offset=mirrored,
            import_open=topic in self._open,
            at_ms=now_ms,
            topic_id=topic_id,
        )
        self._last_told()[partition] = update
        self._producer.produce(PROGRESS_TOPIC, encode(update), update.key, on_delivery=self._delivered)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._refusals.append(error.str())

    def _flush(self) -> None:
        """Wait until the cloud has all of it: what it refuses, or what has no time left, has left the queue as well.

        Raises:
            TimeoutError: something did not reach it.
        """
        if self._producer.flush(3.0):
            self._producer.purge()
            self._producer.flush(1.0)  # what was purged is told, too
        refusals, self._refusals = self._refusals, []
        if refusals:
            said = f"{len(refusals)} updates did not reach {PROGRESS_TOPIC} in the cloud"
            raise TimeoutError(f"{said}, the first since: {refusals[0]}")

    def close(self) -> None:
        self._mirror.close()
        self._imports.close()


def last_updates(messages: Iterable[Message]) -> dict[Partition, ProgressUpdate]:
    """The newest update of each partition; what does not read says nothing, and what has no value is forgotten."""
    found: dict[Partition, ProgressUpdate] = {}
    for message in messages:
        if (value := message.value()) is None:
            if partition := partition_of(message.key() or b""):
                found.pop(partition, None)
            continue
        try:
            update = read_progress(message.key(), value)
        except Unreadable:
            continue  # the Spark job's reader counts it
        if isinstance(update, ProgressUpdate):
            found[update.topic, update.partition] = update
    return found


def _differs(last: ProgressUpdate, ids: Mapping[str, str]) -> bool:
    return ids.get(last.topic, last.topic_id) != last.topic_id


def publisher(kafka: Kafka) -> Producer:
    """A producer that drops an update it cannot deliver within three seconds: the next update says more."""
    settings = {"linger_ms": 5, "message_timeout_ms": 3000, "compression_type": "lz4"}
    return Producer(kafka.client(**settings, max_in_flight_requests_per_connection=1))  # in order, retries too


def measure(partition: Partition, level: MirrorLevel, lag: int) -> None:
    """What the mirror has never reached since the watcher began counts from the first look."""
    topic, number = partition
    MIRROR_LAG_RECORDS.labels(topic=topic, partition=str(number)).set(max(0, lag))
    moment_ms = level.caught_up_to_ms or level.began_ms
    if moment_ms is not None:
        MIRROR_CAUGHT_UP_TO_SECONDS.labels(topic=topic, partition=str(number)).set(moment_ms / 1000)


def measure_imports(topics: Iterable[str], imports: OpenImports) -> None:
    """An import that nobody ends holds back every bucket: how old its last record is, is worth an alert."""
    for topic in topics:
        IMPORT_OPEN.labels(topic=topic).set(topic in imports)
        IMPORT_NEWS_SECONDS.labels(topic=topic).set(imports[topic].said_s if topic in imports else 0)


def input_topics(pipelines: Iterable[Pipeline]) -> list[str]:
    """Every topic that a hot query reads; the models' states are nobody's input."""
    return [topic for p in pipelines for topic in p.mirrored_topics if topic != p.models_topic]


def watch(places: Places, stop: threading.Event) -> None:
    """Look every second until `stop`; a turn that fails publishes nothing and is counted."""
    deployed, watcher = Deployed(places), Watcher(places)
    WATCHER_LOOKED_SECONDS.set_to_current_time()  # from now on it has failed until it succeeds
    while not stop.is_set():
        started_s = time.monotonic()
        try:
            with expected_back("a look at both brokers", LOOK_S):
                watcher.look(input_topics(deployed.pipelines()), round(time.time() * 1000))
            WATCHER_LOOKED_SECONDS.set_to_current_time()
        except (KafkaException, TimeoutError) as error:
            log.warning("could not look at both brokers, trying again: %s", error)
            PROBLEMS.labels(part="watcher").inc()
        except Exception:
            log.exception("could not look at both brokers, trying again")
            PROBLEMS.labels(part="watcher").inc()
        stop.wait(max(0.0, EVERY_S - (time.monotonic() - started_s)))
    watcher.close()


def main() -> None:
    start_logging()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        places = Places.from_environment(needs=("onprem", "cloud"))
        hang_watchdog.start()
    except ValueError as error:
        sys.exit(f"watcher: {error}")
    metrics.serve("watcher")
    watch(places, stop)


if __name__ == "__main__":
    main()
