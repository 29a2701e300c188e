"""The watcher's topic as the streaming process reads it: whatever lies in it, the good records count."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from contract.messages.codec import encode
from contract.messages.progress import LossNotice, ProgressUpdate
from contract.topics import PROGRESS_TOPIC
from streaming.progress.progress_consumer import CLOCKS_APART_MS, KnownPartitions, take
from streaming.progress.watermark import Partition, Progress, ProgressUpdates

NOW_MS = 1_800_000_000_000
GOOD = ProgressUpdate(
    topic="a",
    partition=0,
    caught_up_to_ms=NOW_MS - 1000,
    cloud_offset=5,
    onprem_offset=5,
    mirrored_offset=5,
    import_open=False,
    at_ms=NOW_MS,
)


class Record:
    """As confluent_kafka gives it."""

    def __init__(self, key: bytes | None, value: bytes | None) -> None:
        self._key, self._value = key, value

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def topic(self) -> str:
        return PROGRESS_TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7


def read(board: ProgressUpdates, key: bytes | None, value: bytes | None) -> None:
    take(cast(Message, Record(key, value)), board, lambda partition: partition == ("a", 0), NOW_MS)


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(encode(GOOD)) | fields).encode()


def passed_over() -> float:
    return REGISTRY.get_sample_value("hotpath_unreadable_records_total", {"topic": PROGRESS_TOPIC}) or 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"x", b"not json"),
        (None, encode(GOOD)),
        (b"a/1", encode(GOOD)),
        (b"loss:1", encode(GOOD)),
        (GOOD.key, b""),
        (GOOD.key, b"\xff"),
        (GOOD.key, b"[" * 100_000),
        (GOOD.key, changed(at_ms=NOW_MS + CLOCKS_APART_MS + 1)),
        (GOOD.key, changed(at_ms=10**18)),
        (GOOD.key, changed(caught_up_to_ms=NOW_MS + CLOCKS_APART_MS + 1)),
        (GOOD.key, changed(cloud_offset=-1)),
        (GOOD.key, changed(import_open=None)),
        (b"a/9", changed(partition=9)),
        (b"b/0", changed(topic="b")),
    ],
)
def test_a_record_that_cannot_be_right_is_counted_and_passed_over(key: bytes | None, value: bytes) -> None:
    board, before = ProgressUpdates(), passed_over()
    read(board, key, value)
    read(board, GOOD.key, encode(GOOD))
    assert board.of(["a", "b"]) == {("a", 0): [GOOD]}
    assert passed_over() == before + 1


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["a", NOW_MS, NOW_MS + 1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*msgspec.structs.asdict(GOOD), "more"]), VALUES, max_size=4), st.data())
def test_whatever_is_changed_in_a_record_the_next_one_counts(fields: dict[str, Any], data: st.DataObject) -> None:
    board = ProgressUpdates()
    key = data.draw(st.sampled_from([GOOD.key, b"loss:", b"a/1", None]) | st.binary(max_size=8))
    read(board, key, changed(**fields))
    read(board, key, data.draw(st.binary(max_size=20)))
    read(board, GOOD.key, encode(GOOD))
    tables = Progress(board, lambda: NOW_MS / 1000)
    tables.commit({("a", 0): 5})
    caught_up_to = tables.caught_up_to(["a"])
    assert caught_up_to is not None
    assert NOW_MS - 1000 <= caught_up_to.timestamp() * 1000 <= NOW_MS + CLOCKS_APART_MS


def test_a_partition_that_comes_later_is_known_once_it_is_there() -> None:
    there: list[Partition] = []
    exists = KnownPartitions(lambda topics: [partition for partition in there if partition[0] in topics])
    assert not exists(("a", 0))
    there.append(("a", 0))
    assert exists(("a", 0))


def test_a_loss_is_kept_once_whatever_its_topic() -> None:
    board = ProgressUpdates()
    loss = LossNotice(
        where="mirror", topic="gone", partition=0, from_offset=3, to_offset=9, count=6, after_ms=None,
        before_ms=NOW_MS, at_ms=NOW_MS,
    )  # fmt: skip
    for _ in range(2):
        read(board, loss.key, encode(loss))
    assert board.losses_of(["gone"]) == [loss]
    assert board.losses_of(["a"]) == []


def test_what_a_reset_forgets_is_forgotten_and_nothing_else() -> None:
    board = ProgressUpdates()
    losses = [
        LossNotice(
            where="mirror", topic=topic, partition=0, from_offset=3, to_offset=9, count=6, after_ms=None,
            before_ms=NOW_MS, at_ms=NOW_MS,
        )
        for topic in ("a", "b")
    ]  # fmt: skip
    for loss in losses:
        read(board, loss.key, encode(loss))
    read(board, GOOD.key, encode(GOOD))
    for key in (b"b/0", b"a/" + b"9" * 5000, b"/0", b"a/-1", b"loss:", b"\xff", b"", None, losses[1].key):
        read(board, key, None)
    assert (board.of(["a"]), board.losses_of(["a", "b"])) == ({("a", 0): [GOOD]}, losses[:1])
    for key in (GOOD.key, losses[0].key):
        read(board, key, None)
    assert (board.of(["a"]), board.losses_of(["a", "b"])) == ({}, [])
