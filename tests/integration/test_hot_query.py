"""The hot query on real engines: nothing is lost, nothing doubled, nothing sensitive kept."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.process_end import GIVEN_UP
from contract.records import OUTSIDE
from streaming.lake.filesystem import file_system
from tests.integration.own_streaming import OwnStreaming, as_json, own_pipeline, produce
from tests.waiting import until

pytestmark = pytest.mark.engines

PATIENCE_S = 180
SECRET = "margaret hamilton"
FORTY_MINUTES = timedelta(minutes=40)


@pytest.fixture(scope="module")
def own(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnStreaming]:
    """Its records are produced straight to the cloud: what the mirror does is tested elsewhere."""
    data = tmp_path_factory.mktemp("own")
    pipeline = own_pipeline(f"hot{int(time.time())}", data)
    streaming = OwnStreaming(stack.places, stack.env, data, pipeline)
    streaming.start()
    yield streaming
    streaming.kill()


def reading(number: int, **more: object) -> dict[str, object]:
    """A question of now."""
    now_ms = int(time.time() * 1000)
    return {"reading": number, "read_at": now_ms, "machine": number % 7, "shift": 1, "temperature": 20.5} | more


def send(own: OwnStreaming, *records: dict[str, object] | bytes) -> None:
    values = [record if isinstance(record, bytes) else as_json(record) for record in records]
    produce(own.places.cloud, own.pipeline.events.topic, values)


def ids(own: OwnStreaming) -> set[str]:
    return {row["id"] for row in own.rows("events", "id")}


def wait_for(own: OwnStreaming, numbers: range) -> None:
    wanted = {str(number) for number in numbers}

    def have_come() -> bool:
        own.must_run()
        return wanted <= ids(own)

    until(have_come, PATIENCE_S, f"questions {numbers} in events")


def test_every_record_lands_once_in_its_table(own: OwnStreaming) -> None:
    send(own, *(reading(number) for number in range(200)))
    labels = [as_json({"machine": machine, "shift": 1, "failures": 0}) for machine in range(7)]
    produce(own.places.cloud, own.pipeline.label.topic, labels)
    wait_for(own, range(200))
    until(lambda: len(own.rows("labels", "key")) == 7, PATIENCE_S, "the labels")
    assert len(own.rows("events", "id")) == 200


def test_broken_records_land_in_dead_letters_with_their_reason(own: OwnStreaming) -> None:
    broken = [b"{", b"[1]", as_json(reading(1, temperature="hot")), as_json(reading(1, temperature=None))]
    broken += [as_json(reading(1) | {name: None}) for name in ("reading", "machine")]
    send(own, *broken)
    hashes = {hashlib.sha256(value).hexdigest() for value in broken}
    until(lambda: hashes <= {row["sha256"] for row in own.rows("dead_letters")}, PATIENCE_S, "the dead letters")
    rows = [row for row in own.rows("dead_letters") if row["sha256"] in hashes]
    assert sorted((row["reason"], row["field"]) for row in rows if row["field"]) == [
        ("missing", "machine"),
        ("missing", "reading"),
        ("missing", "temperature"),
        ("wrong_type", "temperature"),
    ]
    assert {row["reason"] for row in rows} == {"not_json", "not_an_object", "wrong_type", "missing"}


def test_absurd_moments_open_no_partition_of_their_own(own: OwnStreaming) -> None:
    before = {row["bucket"] for row in own.rows("events", "bucket")}
    hours_off = int(time.time() * 1000) + 5 * 3_600_000
    send(own, reading(900, read_at=253402300799000), reading(901, read_at=None), reading(902, read_at=hours_off))
    wait_for(own, range(900, 903))
    rows = {row["id"]: row["bucket"] for row in own.rows("events", "id", "bucket")}
    assert {rows[str(number)] for number in range(900, 903)} == {OUTSIDE}
    assert {row["bucket"] for row in own.rows("events", "bucket")} <= before | {OUTSIDE}


def test_sensitive_fields_are_nowhere_on_disk(own: OwnStreaming) -> None:
    cut = as_json(reading(301, operator=SECRET))[:-3]
    send(own, reading(300, operator=SECRET), reading(301, operator=SECRET, temperature=SECRET), cut)
    wait_for(own, range(300, 301))
    hashed = hashlib.sha256(cut).hexdigest()
    until(lambda: hashed in {row["sha256"] for row in own.rows("dead_letters")}, PATIENCE_S, "the broken record")
    for table in ("events", "dead_letters", "labels", "facts", "predictions"):
        rows = own.rows(table)
        assert SECRET not in repr(rows)
        assert all("operator" not in (row.get("event") or {}) for row in rows)


def old(own: OwnStreaming, number: int, age: timedelta) -> None:
    """A question of long ago, with the stamp of then."""
    stamp_ms = int(time.time() * 1000) - age // timedelta(milliseconds=1)
    produce(own.places.cloud, own.pipeline.events.topic, [as_json(reading(number, read_at=stamp_ms))], stamp_ms)


def raw_bytes(own: OwnStreaming, number: int) -> list[bytes | None]:
    return [row["value"] for row in own.rows("events", "id", "value") if row["id"] == str(number)]


@pytest.fixture(scope="module")
def aged(own: OwnStreaming) -> None:
    """Records of each age that upkeep cares for, and a closed bucket of two files."""
    lake = own.pipeline.lake
    old(own, 2000, timedelta(minutes=30))
    old(own, 2001, lake.raw_retention + timedelta(minutes=10))
    old(own, 2002, lake.retention + timedelta(minutes=10))
    old(own, 2100, FORTY_MINUTES)
    wait_for(own, range(2100, 2101))
    old(own, 2101, FORTY_MINUTES)


@pytest.mark.usefixtures("aged")
def test_upkeep_drops_raw_bytes_first_and_records_after_retention(own: OwnStreaming) -> None:
    until(lambda: raw_bytes(own, 2001) == [None], PATIENCE_S, "the drop of raw bytes")
    until(lambda: raw_bytes(own, 2002) == [], PATIENCE_S, "the drop of records past retention")
    assert None not in raw_bytes(own, 2000)
    wait_for(own, range(2000, 2002))


@pytest.mark.usefixtures("aged")
def test_upkeep_makes_one_file_of_a_closed_bucket(own: OwnStreaming) -> None:
    wait_for(own, range(2100, 2102))
    until(lambda: max(own.files_by_bucket().values()) == 1, PATIENCE_S, "one file a bucket")
    assert {"2100", "2101"} <= ids(own)


def test_kill_9_and_a_fresh_start_lose_and_double_nothing(own: OwnStreaming) -> None:
    for start in (1000, 1300):
        send(own, *(reading(number) for number in range(start, start + 300)))
        until(lambda start=start: str(start) in ids(own) or None, PATIENCE_S, "the first of them")  # type: ignore[misc]
        send(own, *(reading(number) for number in range(start + 5000, start + 5300)))
        own.kill()  # with a batch on its way, or about to be
        own.start()
    wait_for(own, range(1000, 1600))
    wait_for(own, range(6000, 6600))
    found = own.identities("events")
    assert len(found) == len(set(found))


@pytest.mark.restarts
def test_a_batch_that_hangs_ends_the_process_and_the_next_one_takes_it_once(own: OwnStreaming, stack: Any) -> None:
    namenode = stack.part_pid("namenode")
    assert own.stop() == 0
    own.start(stuck_s=45)
    send(own, *(reading(number) for number in range(3000, 3010)))
    wait_for(own, range(3000, 3010))
    os.kill(namenode, signal.SIGSTOP)  # whoever calls it waits
    try:
        send(own, *(reading(number) for number in range(3010, 3020)))
        assert own.ended() == GIVEN_UP
    finally:
        os.kill(namenode, signal.SIGCONT)
    own.start()
    wait_for(own, range(3000, 3020))
    found = own.identities("events")
    assert len(found) == len(set(found))


def test_a_deleted_checkpoint_neither_loses_nor_doubles(own: OwnStreaming) -> None:
    before, began = set(own.identities("events")), datetime.now(UTC)
    assert own.stop() == 0
    files, path = file_system(own.places.checkpoint(own.pipeline.name, "hot"))
    files.rm(path, recursive=True)
    send(own, *(reading(number) for number in range(9000, 9010)))
    own.start()
    wait_for(own, range(9000, 9010))
    until(lambda: len(own.identities("events")) >= 2 * len(before) + 10, PATIENCE_S, "the topic, read again")
    again = set(own.identities("events"))
    assert before <= again
    fresh = {identity for identity in again - before if identity[3] >= began}
    assert len(fresh) == 10
    # what the topic still has but the tables' retention had taken comes back until the next upkeep, and nothing else
    assert all(identity[3] < began - own.pipeline.lake.retention for identity in again - before - fresh)
