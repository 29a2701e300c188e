"""What the watcher tells of a look at both sides: brokers that say what a test wants, in the order they are asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError
from prometheus_client import REGISTRY

from contract.layout import Kafka, Places
from contract.messages.codec import encode
from contract.messages.imports import ImportNotice
from contract.topics import IMPORTS_TOPIC, PROGRESS_TOPIC
from streaming.kafka import offset_gaps
from streaming.progress import mirror_watcher
from streaming.progress.mirror_watcher import CLOCKS_APART_MS, Watcher
from streaming.progress.mirror_watermark import MIRROR_OFFSETS, Partition

ASKED: Partition = ("asked", 0)
NOW_MS = 1_800_000_000_000


@dataclass
class Message:
    key_: bytes
    value_: bytes | None

    def key(self) -> bytes:
        return self.key_

    def value(self) -> bytes | None:
        return self.value_

    def topic(self) -> str:
        return "a topic"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7

    def timestamp(self) -> tuple[int, int]:
        return 2, NOW_MS


@dataclass
class Brokers:
    """Both brokers: the ends of their partitions, and the records of the topics that are followed."""

    ends: dict[str, dict[Partition, int]] = field(default_factory=lambda: {"onprem": {ASKED: 0}, "cloud": {ASKED: 0}})
    firsts: dict[Partition, int] = field(default_factory=dict)
    records: dict[str, list[Message]] = field(default_factory=dict)
    undelivered: int = 0
    refuses: bool = False
    """Whether the cloud's broker takes nothing: what it refuses has left the queue."""
    leaderless: set[Partition] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    """Which side was asked for what, in this order."""
    told: list[dict[str, Any]] = field(default_factory=list)
    topic_id: str = "first"
    """Of the topic on-prem."""

    def mirror(self, offset: int | None) -> None:
        """MirrorMaker says that it has mirrored the record at this offset, or a reset that it has mirrored none."""
        key = ["MirrorSourceConnector", {"cluster": "onprem", "partition": 0, "topic": "asked"}]
        value = None if offset is None else json.dumps({"offset": offset}).encode()
        self.records.setdefault(MIRROR_OFFSETS, []).append(Message(json.dumps(key).encode(), value))

    def announce(self, is_open: bool) -> None:
        """An import of history begins, or ends."""
        self.announced(b"asked", encode(ImportNotice(topic="asked", open=is_open)))

    def announced(self, key: bytes, value: bytes | None) -> None:
        """A record on the imports' topic."""
        self.records.setdefault(IMPORTS_TOPIC, []).append(Message(key, value))


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
            known = brokers.ends[self._side]
            return {p: known[p] for p in partitions if p in known and p not in brokers.leaderless}

        def first(self, partitions: list[Partition]) -> dict[Partition, int]:
            return {partition: brokers.firsts.get(partition, 0) for partition in partitions}

    class TopicReader:
        def __init__(self, _: Kafka, topic: str, *, committed: bool = True) -> None:
            self._topic = topic

        def to_end(self, timeout_s: float) -> Iterator[Message]:
            yield from brokers.records.get(self._topic, [])

        def close(self) -> None:
            pass

        def news(self) -> Iterator[Message]:
            brokers.asked.append("mirror" if self._topic == MIRROR_OFFSETS else "imports")
            yield from brokers.records.pop(self._topic, [])

        def records_up_to(self, _: dict[int, int], timeout_s: float) -> Iterator[Message]:
            return self.news()

    class TopicIds:
        def __init__(self, _: Kafka) -> None:
            pass

        def of(self, topics: list[str]) -> dict[str, str]:
            return dict.fromkeys(topics, brokers.topic_id)

    class Producer:
        def __init__(self) -> None:
            self._waiting: list[Callable[[KafkaError | None, None], None]] = []

        def produce(
            self, _: str, value: bytes, key: bytes, on_delivery: Callable[[KafkaError | None, None], None]
        ) -> None:
            brokers.told.append(json.loads(value) | {"key": key.decode()})
            self._waiting.append(on_delivery)

        def flush(self, _: float) -> int:
            if brokers.undelivered and self._waiting:
                return brokers.undelivered
            self._report(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE) if brokers.refuses else None)
            return 0

        def purge(self) -> None:
            brokers.told.clear()
            self._report(KafkaError(KafkaError._PURGE_QUEUE))

        def _report(self, error: KafkaError | None) -> None:
            for delivered in self._waiting:
                delivered(error, None)
            self._waiting = []

    for name, fake in (
        ("Ends", Ends),
        ("TopicReader", TopicReader),
        ("publisher", lambda _: Producer()),
        ("TopicIds", TopicIds),
    ):
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
        "topic_id": "first",
        "v": 1,
    }


def test_a_topic_that_was_made_anew_and_has_outgrown_the_old_one_is_known_by_its_id(
    brokers: Brokers, looks: Watcher
) -> None:
    brokers.ends = {"onprem": {ASKED: 5}, "cloud": {ASKED: 5}}
    brokers.mirror(4)
    look(brokers, looks, 0)
    assert losses(brokers) == []
    brokers.ends["onprem"], brokers.topic_id = {ASKED: 12}, "second"
    brokers.mirror(11)  # it has gone on at offset 5
    news = look(brokers, looks, 1)
    assert losses(brokers) == [(5, None, None, NOW_MS - CLOCKS_APART_MS)]
    assert news is not None
    assert (news["mirrored_offset"], news["topic_id"]) == (12, "second"), "where the mirror is, it goes on"
    look(brokers, looks, 2)
    assert losses(brokers) == [], "it is told once"


def test_a_watcher_that_was_started_again_knows_the_topic_by_what_the_last_one_told(
    brokers: Brokers, looks: Watcher, tmp_path: Path
) -> None:
    brokers.ends = {"onprem": {ASKED: 5}, "cloud": {ASKED: 5}}
    brokers.mirror(4)
    told = look(brokers, looks, 0)
    assert told is not None
    key = told.pop("key").encode()
    brokers.records[PROGRESS_TOPIC] = [Message(key, b"not json"), Message(key, json.dumps(told).encode())]
    second = Watcher(Places(tmp_path, {"HOTPATH_ONPREM_KAFKA": "onprem", "HOTPATH_CLOUD_KAFKA": "cloud"}))
    brokers.ends["onprem"], brokers.topic_id = {ASKED: 12}, "second"
    brokers.mirror(4)
    look(brokers, second, 1)
    assert losses(brokers) == [(5, None, None, NOW_MS - CLOCKS_APART_MS)]
    look(brokers, second, 2)
    assert losses(brokers) == [], "it is told once"


def test_while_an_import_is_open_the_level_stands_still(brokers: Brokers, looks: Watcher) -> None:
    first = look(brokers, looks, 0)
    brokers.announce(True)
    during = look(brokers, looks, 1)
    brokers.announce(False)
    after = look(brokers, looks, 2)
    told = [(news["import_open"], news["caught_up_to_ms"] - NOW_MS) for news in (first, during, after) if news]
    assert told == [(False, -CLOCKS_APART_MS), (True, -CLOCKS_APART_MS), (False, 2000 - CLOCKS_APART_MS)]


def import_news_s() -> float | None:
    return REGISTRY.get_sample_value("hotpath_mirror_import_news_seconds", {"topic": "asked"})


def unreadable() -> float:
    return REGISTRY.get_sample_value("hotpath_unreadable_records_total", {"topic": "a topic"}) or 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"asked", b"not json"),
        (b"asked", b'{"topic": "asked"}'),
        (b"asked", b'{"topic": "asked", "open": "no"}'),
        (b"asked", b'{"topic": "other", "open": false}'),
        (b"x", b'{"topic": "asked", "open": false}'),
        (b"asked", b'{"topic": "asked", "open": false, "v": 99}'),
    ],
)
def test_a_bad_record_neither_opens_nor_closes_an_import(
    brokers: Brokers, looks: Watcher, key: bytes, value: bytes
) -> None:
    look(brokers, looks, 0)
    before = unreadable()
    for is_open in (True, False):
        brokers.announce(is_open)
        brokers.announced(key, value)
        brokers.announced(key, value.replace(b"false", b"true"))
        told = look(brokers, looks, 1)
        assert told is not None
        assert told["import_open"] is is_open
    assert unreadable() == before + 4


def test_an_import_that_stays_open_is_told_with_the_age_of_its_last_record(brokers: Brokers, looks: Watcher) -> None:
    look(brokers, looks, 0)
    brokers.announce(True)
    look(brokers, looks, 1)
    assert import_news_s() == NOW_MS / 1000
    brokers.announced(b"asked", None)
    told = look(brokers, looks, 2)
    assert told is not None
    assert told["import_open"] is False, "a record without a value closes it"
    assert import_news_s() is None


def test_while_nobody_knows_which_imports_are_open_nothing_is_told(brokers: Brokers, looks: Watcher) -> None:
    brokers.leaderless = {(IMPORTS_TOPIC, 0)}
    brokers.ends["onprem"][IMPORTS_TOPIC, 0] = 3
    with pytest.raises(TimeoutError, match="which imports are open"):
        look(brokers, looks, 1)


def test_a_partition_without_leader_holds_back_no_other(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends = {"onprem": {ASKED: 0, ("asked", 1): 0}, "cloud": {ASKED: 0, ("asked", 1): 0}}
    brokers.leaderless = {("asked", 1)}
    told = look(brokers, looks, 1)
    assert told is not None
    assert {told["partition"] for told in brokers.told} == {0}


def test_a_damaged_record_of_the_mirror_is_passed_over(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends["onprem"][ASKED] = 3
    brokers.records[MIRROR_OFFSETS] = [Message(b"{", b"{}")]
    brokers.mirror(2)
    assert look(brokers, looks, 1) is not None


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
    with pytest.raises(TimeoutError, match="1 updates did not reach"):
        looks.look(["asked"], NOW_MS)
    assert not brokers.told, "what is said later is newer"


def test_a_look_whose_news_the_broker_refuses_has_failed(brokers: Brokers, looks: Watcher) -> None:
    brokers.refuses = True
    with pytest.raises(TimeoutError, match=r"1 updates did not reach .*: Broker: Message size too large"):
        looks.look(["asked"], NOW_MS)


@pytest.fixture(autouse=True)
def held_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first record that is held was stamped at the first look."""
    monkeypatch.setattr(offset_gaps, "stamp_at", lambda *_: NOW_MS)


def losses(brokers: Brokers) -> list[tuple[int, int | None, int | None, int | None]]:
    """What the last look told of losses: first offset, end, how many, and since when."""
    told = [news for news in brokers.told if news["key"].startswith("loss:")]
    assert all(news["topic"] == "asked" and news["before_ms"] == NOW_MS + 1 for news in told)
    return [(news["from_offset"], news["to_offset"], news["count"], news["after_ms"]) for news in told]


def test_what_retention_took_before_the_mirror_came_is_told_once_and_before_it_counts(
    brokers: Brokers, looks: Watcher
) -> None:
    brokers.ends["onprem"][ASKED] = 10
    brokers.mirror(9)
    look(brokers, looks, -60)
    brokers.ends["onprem"][ASKED], brokers.firsts[ASKED] = 100, 60
    told = look(brokers, looks, 1)
    assert told is not None
    assert told["mirrored_offset"] == 60
    assert losses(brokers) == [(10, 60, 50, NOW_MS - 60_000 - CLOCKS_APART_MS)]
    assert brokers.told[0]["key"].startswith("loss:"), "whoever reads the update has read the loss"
    look(brokers, looks, 2)
    assert losses(brokers) == []


def test_a_loss_that_could_not_be_told_is_told_by_the_next_look(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends["onprem"][ASKED], brokers.firsts[ASKED] = 100, 60
    brokers.mirror(9)
    brokers.undelivered = 1
    with pytest.raises(TimeoutError):
        look(brokers, looks, 0)
    brokers.undelivered = 0
    look(brokers, looks, 1)
    assert losses(brokers) == [(10, 60, 50, None)]


def test_a_loss_that_the_broker_refused_is_told_by_the_next_look(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends["onprem"][ASKED], brokers.firsts[ASKED] = 100, 60
    brokers.mirror(9)
    brokers.refuses = True
    with pytest.raises(TimeoutError):
        look(brokers, looks, 0)
    brokers.refuses = False
    look(brokers, looks, 1)
    assert losses(brokers) == [(10, 60, 50, None)]


def test_what_the_mirror_has_carried_and_what_it_was_never_asked_to_carry_is_no_loss(
    brokers: Brokers, looks: Watcher
) -> None:
    brokers.ends["onprem"][ASKED] = brokers.firsts[ASKED] = 100
    look(brokers, looks, 0)
    assert losses(brokers) == [], "it begins with the first record that is held"
    brokers.mirror(99)
    look(brokers, looks, 1)
    assert losses(brokers) == []


def test_markers_that_retention_took_are_no_loss(
    brokers: Brokers, looks: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_watcher, "holds_no_record", lambda *_, **__: True)
    brokers.ends["onprem"][ASKED] = 11
    brokers.mirror(9)
    for second in range(3):
        look(brokers, looks, second)
    brokers.firsts[ASKED] = 11
    look(brokers, looks, 3)
    assert losses(brokers) == []


def test_a_topic_that_was_made_anew_is_a_loss_and_is_caught_up_only_when_it_is_mirrored(
    brokers: Brokers, looks: Watcher
) -> None:
    brokers.ends["onprem"][ASKED] = 1000
    brokers.mirror(999)
    look(brokers, looks, 0)
    brokers.ends["onprem"][ASKED] = 10
    stands = look(brokers, looks, 1)
    assert stands is not None
    assert losses(brokers) == [(1000, None, None, NOW_MS - CLOCKS_APART_MS)]
    assert stands["caught_up_to_ms"] == NOW_MS - CLOCKS_APART_MS, "nothing of the new topic is in the cloud"
    brokers.mirror(9)
    goes_on = look(brokers, looks, 2)
    assert goes_on is not None
    assert goes_on["caught_up_to_ms"] == NOW_MS + 2000 - CLOCKS_APART_MS
    assert losses(brokers) == []


def test_records_that_come_between_two_readings_are_no_topic_made_anew(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends["onprem"][ASKED] = 10
    brokers.mirror(11)
    assert look(brokers, looks, 0) is None, "the end was read before the mirror came so far, or the topic is a new one"
    brokers.ends["onprem"][ASKED] = 12
    assert look(brokers, looks, 1) is not None
    assert losses(brokers) == []


def told_so_far(brokers: Brokers) -> list[Message]:
    """What the last look told, as the topic keeps it."""
    return [
        Message(news["key"].encode(), json.dumps({k: v for k, v in news.items() if k != "key"}).encode())
        for news in brokers.told
    ]


def pass_without_it(brokers: Brokers, looks: Watcher, after_s: int) -> None:
    """A look while its pipeline is removed."""
    brokers.told.clear()
    looks.look([], NOW_MS + after_s * 1000)
    assert brokers.told == []


def test_a_topic_that_was_reset_begins_anew_without_a_loss(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends["onprem"][ASKED] = 200
    brokers.mirror(199)
    look(brokers, looks, 0)
    kept = told_so_far(brokers)
    pass_without_it(brokers, looks, 1)
    brokers.records[PROGRESS_TOPIC] = [*kept, Message(b"asked/0", None)]
    brokers.mirror(None)
    brokers.ends["onprem"][ASKED], brokers.topic_id = 3, "second"
    assert look(brokers, looks, 2) is None, "nothing of the new topic is in the cloud"
    brokers.mirror(2)
    told = look(brokers, looks, 3)
    assert told is not None
    assert (told["mirrored_offset"], told["topic_id"]) == (3, "second")
    assert losses(brokers) == []


def test_a_topic_that_merely_went_for_a_while_is_known_when_it_comes_back(brokers: Brokers, looks: Watcher) -> None:
    brokers.ends["onprem"][ASKED] = 200
    brokers.mirror(199)
    look(brokers, looks, -10)
    brokers.records[PROGRESS_TOPIC] = told_so_far(brokers)
    pass_without_it(brokers, looks, -9)
    told = look(brokers, looks, -8)
    assert told is not None
    assert (told["mirrored_offset"], losses(brokers)) == (200, [])
    brokers.records[PROGRESS_TOPIC] = told_so_far(brokers)
    pass_without_it(brokers, looks, -7)
    brokers.ends["onprem"][ASKED], brokers.topic_id = 300, "second"  # made anew meanwhile, and nobody has reset it
    look(brokers, looks, -6)
    assert losses(brokers) == [(200, None, None, NOW_MS - 8000 - CLOCKS_APART_MS)]
