"""The watcher beside the mirror: says every second, per partition, up to which moment all has been mirrored.

Run as `python -m streaming.progress.mirror_watcher`. It reaches both brokers: the cloud learns of the on-prem side
through it.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterable

from confluent_kafka import KafkaException, Producer

from contract import metrics
from contract.layout import Kafka, Places, PlacesError
from contract.log_lines import start_logging
from contract.metrics import (
    IMPORT_OPEN,
    MIRROR_CAUGHT_UP_TO_SECONDS,
    MIRROR_LAG_RECORDS,
    PROBLEMS,
    WATCHER_LOOKED_SECONDS,
)
from contract.pipeline import Pipeline
from contract.topics import IMPORTS_TOPIC, PROGRESS_TOPIC
from streaming.kafka.partition_ends import Ends
from streaming.kafka.topic_reader import TopicReader, holds_no_record
from streaming.pipeline_file.deployed_files import Deployed
from streaming.progress.mirror_watermark import MirrorLevel, Partition, parse_mirrored

log = logging.getLogger("watcher")

MIRROR_OFFSETS = "mm2-offsets.onprem.internal"
EVERY_S = 1.0
CLOCKS_APART_MS = 1000
"""By so much a broker's clock may be behind ours without a record being stamped before a moment already told."""


class Watcher:
    """Looks at both sides and publishes what it sees; `look` is one turn."""

    def __init__(self, places: Places) -> None:
        self._onprem = places.onprem
        self._onprem_ends, self._cloud_ends = Ends(places.onprem), Ends(places.cloud)
        self._mirror = TopicReader(places.cloud, MIRROR_OFFSETS)
        self._imports = TopicReader(places.onprem, IMPORTS_TOPIC)
        self._producer = publisher(places.cloud)
        self._levels: dict[Partition, MirrorLevel] = {}
        self._mirrored: dict[Partition, int] = {}
        self._open: dict[str, bool] = {}
        self._empty: set[tuple[Partition, int, int]] = set()

    def look(self, topics: list[str], now_ms: int) -> None:
        """Read the on-prem ends, then the imports, the mirror and the cloud's ends, in this order, and publish.

        Raises:
            KafkaException, TimeoutError: a broker is away; nothing was published.
        """
        moment_ms = now_ms - CLOCKS_APART_MS
        partitions = self._onprem_ends.partitions(topics)
        imports = self._onprem_ends.partitions([IMPORTS_TOPIC])
        ends = self._onprem_ends.last(partitions + imports)
        firsts = self._onprem_ends.first(partitions)
        self._read_imports({number: end for (topic, number), end in ends.items() if topic == IMPORTS_TOPIC})
        self._read_mirror()
        cloud_ends = self._cloud_ends.last(partitions)
        for partition in partitions:
            if partition in cloud_ends:
                mirrored = max(self._mirrored.get(partition, 0), firsts[partition])
                level = self._level(partition, moment_ms, ends[partition], mirrored)
                self._publish(partition, level, cloud_ends[partition], ends[partition], mirrored, now_ms)
        self._flush()

    def _read_imports(self, ends: dict[int, int]) -> None:
        for message in self._imports.records_up_to(ends, timeout_s=5):
            if (value := message.value()) is not None:
                news = json.loads(value)
                self._open[news["topic"]] = news["open"]

    def _read_mirror(self) -> None:
        for message in self._mirror.news():
            parsed = parse_mirrored(message.key() or b"[]", message.value())
            if parsed is not None:
                partition, offset = parsed
                self._mirrored[partition] = 0 if offset is None else offset

    def _level(self, partition: Partition, moment_ms: int, end: int, mirrored: int) -> MirrorLevel:
        """The partition's level after this look; it stands still while an import is open."""
        level = self._levels.setdefault(partition, MirrorLevel())
        level.see(moment_ms, end)
        if not self._open.get(partition[0], False):
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
        self, partition: Partition, level: MirrorLevel, cloud_end: int, end: int, mirrored: int, now_ms: int
    ) -> None:
        topic, number = partition
        is_open = self._open.get(topic, False)
        measure(partition, level, 0 if (partition, mirrored, end) in self._empty else end - mirrored, is_open)
        if level.caught_up_to_ms is None:
            return
        news = {"topic": topic, "partition": number, "caught_up_to_ms": level.caught_up_to_ms}
        news |= {"cloud_offset": cloud_end, "onprem_offset": end, "mirrored_offset": mirrored}
        news |= {"import_open": is_open, "at_ms": now_ms}
        self._producer.produce(PROGRESS_TOPIC, json.dumps(news).encode(), f"{topic}/{number}".encode())

    def _flush(self) -> None:
        if left := self._producer.flush(3.0):
            self._producer.purge()
            raise TimeoutError(f"{left} news did not reach {PROGRESS_TOPIC} in the cloud")

    def close(self) -> None:
        self._mirror.close()
        self._imports.close()


def publisher(kafka: Kafka) -> Producer:
    """A producer that drops an update it cannot deliver within three seconds: the next update says more."""
    return Producer(kafka.client(linger_ms=5, message_timeout_ms=3000, compression_type="lz4"))


def measure(partition: Partition, level: MirrorLevel, lag: int, is_open: bool) -> None:
    """What the mirror has never reached since the watcher began counts from the first look."""
    topic, number = partition
    MIRROR_LAG_RECORDS.labels(topic=topic, partition=str(number)).set(max(0, lag))
    IMPORT_OPEN.labels(topic=topic).set(is_open)
    moment_ms = level.caught_up_to_ms or level.began_ms
    if moment_ms is not None:
        MIRROR_CAUGHT_UP_TO_SECONDS.labels(topic=topic, partition=str(number)).set(moment_ms / 1000)


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
            watcher.look(input_topics(deployed.pipelines()), round(time.time() * 1000))
            WATCHER_LOOKED_SECONDS.set_to_current_time()
        except (KafkaException, TimeoutError) as error:
            log.warning("could not look, trying again: %s", error)
            PROBLEMS.labels(part="watcher").inc()
        except Exception:
            log.exception("could not look, trying again")
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
    except PlacesError as error:
        sys.exit(f"watcher: {error}")
    metrics.serve("watcher")
    watch(places, stop)


if __name__ == "__main__":
    main()
