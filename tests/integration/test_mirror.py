"""What MirrorMaker 2 does with names and replicas, tried with the real one between brokers that we did not start."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from contract.layout import Kafka
from contract.topics import MAX_UNPACKED_BYTES
from infra.engines import mirror_maker
from infra.ports import Ports
from streaming.kafka.pipeline_topics import cloud_topics
from streaming.pipeline_file.load import load
from streaming.pipeline_file.references import NEVER_BEGINS, NEVER_ENDS, RENAMED_END
from tests.integration.conftest import free_base
from tests.integration.own_kafkas import make_topic, names, own_kafkas
from tests.integration.own_streaming import read
from tests.integration.secured_kafka import running
from tests.streaming.pipelines import MINIMAL
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.deep]

LEFT_OUT = ["__hidden", ".hidden", "a.replica", "a.checkpoints.internal", "mm2-a.internal", "cloud.heartbeats"]
RENAMED = ["heartbeats.heartbeats", "machine-heartbeats"]
CARRIED = ["ordinary", "a.internal", "a-internal", "internal", "replica", "a-replica", "_one", "mm2.a", "onprem.a"]
"""Names that end in `.internal` and `-internal` are left out by other versions; this one carries most of them."""


def replicas(kafka: Kafka, topic: str) -> int:
    return len(AdminClient(kafka.client()).list_topics(topic, timeout=10).topics[topic].partitions[0].replicas)


def holds_the_record(kafka: Kafka, topic: str) -> bool:
    return [message.value() for message in read(kafka, topic)] == [b"a record"]


def test_which_names_are_carried(tmp_path: Path) -> None:
    assert all(name.startswith(NEVER_BEGINS) or name.endswith((*NEVER_ENDS, RENAMED_END)) for name in LEFT_OUT)
    assert all(name.endswith(RENAMED_END) for name in RENAMED)
    with own_kafkas(tmp_path, free_base()) as own:
        settings, places = own.settings, own.places
        ports = Ports.of(settings)
        asked = [*LEFT_OUT, *RENAMED, *CARRIED]
        producer = Producer(places.onprem.client())
        for name in asked:
            make_topic(places.onprem, name, {"message.timestamp.type": "LogAppendTime"}, 1)
            producer.produce(name, b"a record")
        assert producer.flush(30) == 0
        mirror_maker.render(settings, ports, places, asked)
        log = tmp_path / "mirror.log"
        with running(settings, mirror_maker.mirror(settings, ports, places, after=()), log):
            until(lambda: mirror_maker.STARTED in log.read_text(), 120, "the mirror's tasks", every_s=0.5)
            until(lambda: names(places.cloud) >= {*CARRIED, *(f"onprem.{name}" for name in RENAMED)}, 60, "the topics")
            for name in CARRIED:
                until(partial(holds_the_record, places.cloud, name), 60, name)
        assert names(places.cloud).isdisjoint([*LEFT_OUT, *RENAMED])
        internal = [name for name in names(places.cloud) if name.startswith("mm2-")]
        assert len(internal) >= 3
        assert {replicas(places.cloud, name) for name in internal} == {1}, "the broker's default"


def test_a_record_that_is_small_only_while_it_is_compressed_is_carried_like_any_other(tmp_path: Path) -> None:
    """The limit of an on-prem topic counts what producers have compressed; the mirror unpacks it."""
    unpacked = [b"before", b"z" * (MAX_UNPACKED_BYTES - 1024 * 1024), b"after"]
    with own_kafkas(tmp_path, free_base()) as own:
        settings, places = own.settings, own.places
        ports = Ports.of(settings)
        make_topic(places.onprem, "packed", {"message.timestamp.type": "LogAppendTime"}, 1)
        ensure_large(places.cloud, "packed")
        producer = Producer(
            places.onprem.client(compression_type="gzip", message_max_bytes=2 * MAX_UNPACKED_BYTES, linger_ms=0)
        )
        for value in unpacked:
            producer.produce("packed", value)
            assert producer.flush(60) == 0
        mirror_maker.render(settings, ports, places, ["packed"])
        log = tmp_path / "mirror.log"
        with running(settings, mirror_maker.mirror(settings, ports, places, after=()), log):
            lengths = [len(value) for value in unpacked]
            until(lambda: [len(m.value() or b"") for m in read(places.cloud, "packed")] == lengths, 120, "all three")
        assert mirror_maker.TASK_IS_DEAD not in log.read_text()


def ensure_large(kafka: Kafka, name: str) -> None:
    """The topic in the cloud with the sizes that hotpath gives it."""
    (largest,) = {
        topic.settings["max.message.bytes"] for topic in cloud_topics(load(MINIMAL)) if topic.kind == "events"
    }
    make_topic(kafka, name, {"max.message.bytes": largest}, 1)
