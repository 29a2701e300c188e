"""What the watcher tells of a look at both sides: brokers that say what a test wants, in the order they are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from contract.layout import Kafka, Places
from contract.topics import IMPORTS_TOPIC
from streaming.progress import mirror_watcher
from streaming.progress.mirror_watcher import CLOCKS_APART_MS, Watcher
from streaming.progress.mirror_watermark import Partition

ASKED: Partition = ("asked", 0)
NOW_MS = 1_800_000_000_000


@dataclass
class Message:
    key_: bytes
    value_: bytes

    def key(self) -> bytes:
        return self.key_

    def value(self) -> bytes:
        return self.value_


@dataclass
class Brokers:
    """Both brokers: the ends of their partitions, and the records of the topics that are followed."""

    ends: dict[str, dict[Partition, int]] = field(default_factory=lambda: {"onprem": {ASKED: 0}, "cloud": {ASKED: 0}})
    firsts: dict[Partition, int] = field(default_factory=dict)
    records: dict[str, list[Message]] = field(default_factory=dict)
    undelivered: int = 0
    asked: list[str] = field(default_factory=list)
    """Which side was asked for what, in this order."""
    told: list[dict[str, Any]] = field(default_factory=list)

    def mirror(self, offset: int) -> None:
        """MirrorMaker says that it has mirrored the record at this offset."""
        key = ["MirrorSourceConnector", {"cluster": "onprem", "partition": 0, "topic": "asked"}]
        value = json.dumps({"offset": offset}).encode()
        self.records.setdefault(mirror_watcher.MIRROR_OFFSETS, []).append(Message(json.dumps(key).encode(), value))

    def announce(self, is_open: bool) -> None:
        """An import of history begins, or ends."""
        value = json.dumps({"topic": "asked", "open": is_open}).encode()
        self.records.setdefault(IMPORTS_TOPIC, []).append(Message(b"asked", value))


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> Brokers:
    brokers = Brokers()

    class Ends:
        def __init__(self, kafka: Kafka) -> None:
            self._side = kafka.bootstrap

        def partitions(self, topics: list[str]) -> list[Partition]:
            return [partition for partition in brokers.ends["onprem"] if partition[0] in topics]

        def last(self, partitions: list[Partition]) -> dict[Partition, int]:
            brokers.asked.append(f"{self._side} ends")
            return {p: brokers.ends[self._side][p] for p in partitions if p in brokers.ends[self._side]}

        def first(self, partitions: list[Partition]) -> dict[Partition, int]:
            return {partition: brokers.firsts.get(partition, 0) for partition in partitions}

    class TopicReader:
        def __init__(self, _: Kafka, topic: str) -> None:
            self._topic = topic

        def news(self) -> Iterator[Message]:
            brokers.asked.append("mirror" if self._topic == mirror_watcher.MIRROR_OFFSETS else "imports")
            yield from brokers.records.pop(self._topic, [])

        def records_up_to(self, _: dict[int, int], timeout_s: float) -> Iterator[Message]:
            return self.news()

    class Producer:
        def produce(self, _: str, value: bytes, key: bytes) -> None:
            brokers.told.append(json.loads(value) | {"key": key.decode()})

        def flush(self, _: float) -> int:
            return brokers.undelivered

        def purge(self) -> None:
            brokers.told.clear()

    for name, fake in (("Ends", Ends), ("TopicReader", TopicReader), ("publisher", lambda _: Producer())):
        monkeypatch.setattr(mirror_watcher, name, fake)
    monkeypatch.setattr(mirror_watcher, "holds_no_record", lambda *_, **__: False)
    return brokers


@pytest.fixture
def looks(brokers: Brokers, tmp_path: Path) -> Watcher:
    return Watcher(Places(tmp_path, {"HOTPATH_ONPREM_KAFKA": "onprem", "HOTPATH_CLOUD_KAFKA": "cloud"}))


def look(brokers: Brokers, looks: Watcher, after_s: int) -> dict[str, Any] | None:
    """What a look at that many seconds tells of ASKED."""
    brokers.told.clear()
    looks.look(["asked"], NOW_MS + after_s * 1000)
    return brokers.told[-1] if brokers.told else None


def test_the_ends_on_prem_are_read_before_the_mirror_and_the_cloud_after_it(brokers: Brokers, looks: Watcher) -> None:
    """Else a record that comes between two readings is called caught up and is not in the cloud."""
    look(brokers, looks, 0)
    assert brokers.asked == ["onprem ends", "imports", "mirror", "cloud ends"]


def test_a_moment_is_told_only_when_no_brokers_clock_can_stamp_before_it(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends = {"onprem": {ASKED: 5}, "cloud": {ASKED: 7}}
    brokers.mirror(4)
    news = look(brokers, looks, 0)
    assert news == {
        "key": "asked/0",
        "topic": "asked",
        "partition": 0,
        "caught_up_to_ms": NOW_MS - CLOCKS_APART_MS,
        "cloud_offset": 7,
        "onprem_offset": 5,
        "mirrored_offset": 5,
        "import_open": False,
        "at_ms": NOW_MS,
    }


def test_while_an_import_is_open_the_level_stands_still(brokers: Brokers, looks: Watcher) -> None:
    first = look(brokers, looks, 0)
    brokers.announce(True)
    during = look(brokers, looks, 1)
    brokers.announce(False)
    after = look(brokers, looks, 2)
    told = [(news["import_open"], news["caught_up_to_ms"] - NOW_MS) for news in (first, during, after) if news]
    assert told == [(False, -CLOCKS_APART_MS), (True, -CLOCKS_APART_MS), (False, 2000 - CLOCKS_APART_MS)]


def test_what_retention_has_taken_needs_no_mirroring(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends["onprem"][ASKED] = brokers.firsts[ASKED] = 100
    news = look(brokers, looks, 0)
    assert news is not None
    assert news["mirrored_offset"] == 100


def test_nothing_is_told_of_a_partition_before_it_has_been_caught_up_once(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends["onprem"][ASKED] = 3
    assert look(brokers, looks, 0) is None
    brokers.mirror(2)
    assert look(brokers, looks, 1) is not None
    del brokers.ends["cloud"][ASKED]
    assert look(brokers, looks, 2) is None, "the cloud does not have the partition"


def test_news_that_do_not_arrive_are_dropped_and_the_look_has_failed(brokers: Brokers, looks: Watcher) -> None:
    brokers.undelivered = 1
    with pytest.raises(TimeoutError, match="1 news did not reach"):
        looks.look(["asked"], NOW_MS)
    assert not brokers.told, "what is said later is newer"
