"""The watcher on a real mirror: what it says is caught up is in the cloud, and idle partitions are level."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Message, Producer

from contract.layout import Kafka
from contract.topics import IMPORTS_TOPIC, PROGRESS_TOPIC
from streaming.kafka.partition_ends import Ends
from tests.integration.own_streaming import read
from tests.waiting import until

pytestmark = pytest.mark.engines

TOPIC = "flights.departed"
PATIENCE_S = 60


def news(stack: Any, number: int = 0) -> dict[str, Any]:
    """The watcher's last word on a partition of TOPIC."""
    wanted = f"{TOPIC}/{number}".encode()
    values = [m.value() for m in read(stack.places.cloud, PROGRESS_TOPIC) if m.key() == wanted]
    found: dict[str, Any] = json.loads(values[-1] or b"{}") if values else {"caught_up_to_ms": 0, "cloud_offset": 0}
    return found


def caught_up(stack: Any, moment_ms: int) -> bool:
    return bool(news(stack)["caught_up_to_ms"] > moment_ms)


def find(stack: Any, value: bytes, kafka: Kafka) -> Message | None:
    return next((m for m in read(kafka, TOPIC) if m.value() == value), None)


def test_a_record_with_a_wrong_clock_arrives_with_its_onprem_append_time(stack: Any) -> None:
    value = f"wrong clock {time.time()}".encode()
    producer = Producer(stack.places.onprem.client())
    before_ms = int(time.time() * 1000)
    producer.produce(TOPIC, value, partition=0, timestamp=1_000_000_000_000, headers=[("h", b"kept")])
    assert producer.flush(10) == 0
    until(lambda: find(stack, value, stack.places.cloud), PATIENCE_S, "the record in the cloud")
    here, there = find(stack, value, stack.places.onprem), find(stack, value, stack.places.cloud)
    assert here is not None
    assert there is not None
    assert there.timestamp() == (TIMESTAMP_CREATE_TIME, here.timestamp()[1])
    assert before_ms - 1000 <= there.timestamp()[1] <= int(time.time() * 1000) + 1000
    assert there.headers() == [("h", b"kept")]


def test_what_is_called_caught_up_is_in_the_cloud(stack: Any) -> None:
    value = f"caught up {time.time()}".encode()
    producer = Producer(stack.places.onprem.client())
    producer.produce(TOPIC, value, partition=0)
    assert producer.flush(10) == 0
    record = find(stack, value, stack.places.onprem)
    assert record is not None
    until(lambda: caught_up(stack, record.timestamp()[1]), PATIENCE_S, "the watcher to be past the record")
    there = find(stack, value, stack.places.cloud)
    assert there is not None
    assert (there.offset() or 0) < news(stack)["cloud_offset"]


@pytest.mark.parametrize("ends", ["commit", "abort"])
def test_an_end_of_markers_alone_is_level(stack: Any, ends: str) -> None:
    producer = Producer(stack.places.onprem.client(transactional_id=f"test-{time.time()}"))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(TOPIC, b"in a transaction", partition=0)
    producer.flush(10)
    producer.commit_transaction(30) if ends == "commit" else producer.abort_transaction(30)
    finished_ms = int(time.time() * 1000)
    until(lambda: caught_up(stack, finished_ms), PATIENCE_S, f"the level after the {ends}")


def test_an_idle_partition_rises_with_the_clock(stack: Any) -> None:
    first = news(stack, 1)
    until(lambda: news(stack, 1)["caught_up_to_ms"] > first["caught_up_to_ms"] + 2000, PATIENCE_S, "the idle level")
    assert Ends(stack.places.onprem).last([(TOPIC, 1)])[TOPIC, 1] == news(stack, 1)["onprem_offset"]


def caught_up_s(stack: Any) -> float:
    """Up to when the streaming process says that the example's tables are complete."""
    (address,) = (part["targets"][0] for part in targets(stack) if part["labels"]["part"] == "streaming")
    text = httpx.get(f"http://{address}/metrics", timeout=10).text
    samples = [line for line in text.splitlines() if line.startswith("hotpath_streaming_caught_up_to_seconds{")]
    return float(samples[0].rpartition(" ")[2]) if samples else 0.0


def targets(stack: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.settings.folder.targets.read_text())
    return found


def test_nothing_that_lies_in_hotpaths_own_topics_stops_the_tables(stack: Any) -> None:
    poison = [(b"x", b"not json"), (b"x", b"\xff"), (TOPIC.encode(), b"[" * 100_000)]
    poison += [(b"flights.asked/9", json.dumps(news(stack) | {"topic": "flights.asked", "partition": 9}).encode())]
    for kafka, topic in ((stack.places.cloud, PROGRESS_TOPIC), (stack.places.onprem, IMPORTS_TOPIC)):
        producer = Producer(kafka.client())
        for key, value in poison:
            producer.produce(topic, value, key)
        assert producer.flush(10) == 0
    poisoned_s = time.time()
    until(lambda: caught_up_s(stack) > poisoned_s, PATIENCE_S, "tables that go on after the poison")
