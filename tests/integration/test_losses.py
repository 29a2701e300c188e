"""Records that are gone before they were read: the mirror and the hot query go on, and say what was lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from pyspark.sql import SparkSession

from contract.layout import Kafka, Places
from contract.messages.progress import LossNotice, ProgressUpdate, read_progress
from contract.pipeline import Pipeline
from contract.topics import PROGRESS_TOPIC
from infra.engines import kafka_broker, mirror_maker
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import broker_answers
from streaming.ingest.hot_query import HotQuery
from streaming.ingest.record_decoder import decoder_of
from streaming.kafka.partition_ends import Ends
from streaming.kafka.topic_admin import ensure_topics
from streaming.lake.delta_tables import opened
from streaming.lake.hot_tables import ensure_tables
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from streaming.progress.forget_topics import traces_of
from streaming.progress.mirror_watcher import Watcher
from streaming.progress.mirror_watermark import MIRROR_OFFSETS
from streaming.progress.watermark import Progress, ProgressUpdates
from tests.integration.conftest import free_base
from tests.integration.own_streaming import MINIMAL, as_json, produce, read
from tests.integration.secured_kafka import running
from tests.integration.spark import spark
from tests.waiting import until

__all__ = ["spark"]
pytestmark = pytest.mark.engines

PATIENCE_S = 180


@dataclass(frozen=True)
class Engines:
    """Both brokers, and a folder for tables."""

    settings: Settings
    ports: Ports
    places: Places
    pipeline: Pipeline

    @property
    def topic(self) -> str:
        return self.pipeline.events.topic

    @contextmanager
    def mirror(self) -> Iterator[None]:
        mirror_maker.render(self.settings, self.ports, self.places, self.pipeline.mirrored_topics)
        log = self.settings.data / f"mirror{time.monotonic_ns()}.log"
        with running(self.settings, mirror_maker.mirror(self.settings, self.ports, self.places, after=()), log):
            until(lambda: mirror_maker.STARTED in log.read_text(), PATIENCE_S, "the mirror's tasks", every_s=0.5)
            yield


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    folder = tmp_path_factory.mktemp("losses")
    ports = Ports(free_base(), folder / "ports.json")
    env = {
        "HOTPATH_DATA": str(folder),
        "HOTPATH_ONPREM_KAFKA": ports.address("onprem"),
        "HOTPATH_CLOUD_KAFKA": ports.address("cloud"),
        "HOTPATH_HDFS": f"file://{folder}",
    }
    own = Settings.from_environment({**os.environ, **env})
    places, pipeline = Places.from_environment(env), load(MINIMAL)
    with ExitStack() as brokers:
        for side, kafka in (("onprem", places.onprem), ("cloud", places.cloud)):
            brokers.enter_context(running(own, kafka_broker.broker(own, ports, side), folder / f"{side}.log"))
            until(lambda kafka=kafka: broker_answers(kafka), PATIENCE_S, f"the broker {side}")  # type: ignore[misc]
        ensure_topics(places, [pipeline])
        yield Engines(own, ports, places, pipeline)


def send(kafka: Kafka, topic: str, numbers: range) -> None:
    """Questions of now, all into the first partition."""
    question = {"machine": 1, "shift": 1, "temperature": 20.5, "read_at": int(time.time() * 1000)}
    produce(kafka, topic, [as_json(question | {"reading": number}) for number in numbers], partition=0)


def forget(kafka: Kafka, topic: str, before: int) -> None:
    """What retention does: the first offset that is held rises."""
    admin = AdminClient(kafka.client())  # its answers do not come once it is gone
    for answer in admin.delete_records([TopicPartition(topic, 0, before)]).values():
        answer.result(PATIENCE_S)
    until(lambda: Ends(kafka).first([(topic, 0)])[topic, 0] == before, PATIENCE_S, "the removal of records")


def make_anew(engines: Engines, kafka: Kafka) -> None:
    """Remove the topic and make it again."""
    admin = AdminClient(kafka.client())
    admin.delete_topics([engines.topic])[engines.topic].result(PATIENCE_S)
    until(lambda: engines.topic not in admin.list_topics(timeout=10).topics, PATIENCE_S, "the end of the topic")
    until(lambda: _made(engines), PATIENCE_S, "the topic, made anew", every_s=0.5)
    until(lambda: Ends(kafka).last([(engines.topic, 0)]) == {(engines.topic, 0): 0}, PATIENCE_S, "its leader")


def _made(engines: Engines) -> bool:
    try:
        ensure_topics(engines.places, [engines.pipeline])
    except RuntimeError:
        return False  # the broker is still removing it
    return True


def test_the_hot_query_goes_on_after_a_gap_and_in_a_topic_made_anew(engines: Engines, spark: SparkSession) -> None:
    kafka, lost = engines.places.cloud, list[LossNotice]()
    ensure_tables(spark, engines.places, engines.pipeline)

    def ids() -> set[str]:
        with opened(engines.places.table(engines.pipeline.name, "events")) as table:
            return set(table.to_pyarrow_table(columns=["id"])["id"].to_pylist())

    @contextmanager
    def query() -> Iterator[None]:
        decoding = decoder_of(engines.pipeline, compile_pipeline(engines.pipeline).spec)
        every, progress = timedelta(seconds=1), Progress(ProgressUpdates())
        hot = HotQuery(spark, engines.places, engines.pipeline, decoding, progress, every, lost.append)
        stream = hot.run()
        yield
        assert stream.isActive, str(stream.exception())[:2000]
        stream.stop()

    def until_read(numbers: range) -> None:
        until(lambda: {str(number) for number in numbers} <= ids(), PATIENCE_S, f"questions {numbers}", every_s=0.5)

    with query():
        send(kafka, engines.topic, range(10))
        until_read(range(10))
    send(kafka, engines.topic, range(10, 30))
    forget(kafka, engines.topic, 25)
    with query():
        until_read(range(25, 30))
    assert [(loss.from_offset, loss.to_offset, loss.count) for loss in lost] == [(10, 25, 15)]
    assert abs(lost[0].before_ms - time.time() * 1000) < 600_000
    assert ids() == {str(number) for number in (*range(10), *range(25, 30))}
    make_anew(engines, kafka)
    send(kafka, engines.topic, range(100, 105))
    with query():
        until_read(range(100, 105))
    assert [(loss.from_offset, loss.to_offset, loss.count) for loss in lost[1:]] == [(30, None, None)]
    make_anew(engines, kafka)
    send(kafka, engines.topic, range(200, 220))  # more than the old one had: only its id tells
    with query():
        until_read(range(200, 220))
    assert [(loss.from_offset, loss.to_offset, loss.count) for loss in lost[2:]] == [(5, None, None)]
    with opened(engines.places.table(engines.pipeline.name, "events")) as table:
        assert len(table.to_pyarrow_table(columns=["id"])) == len(ids()), "none is read twice"


def test_the_mirror_goes_on_after_a_gap_and_the_watcher_says_what_was_lost(engines: Engines) -> None:
    kafka, watcher = engines.places.onprem, Watcher(engines.places)
    partition = (engines.pipeline.label.topic, 0)

    def told() -> dict[str, Any]:
        """The last update of the partition, and every loss."""
        watcher.look([partition[0]], round(time.time() * 1000))
        messages = [read_progress(m.key(), m.value() or b"") for m in read(engines.places.cloud, PROGRESS_TOPIC)]
        mine = [m for m in messages if (m.topic, m.partition) == partition]
        updates = [m for m in mine if isinstance(m, ProgressUpdate)]
        return {"update": updates[-1] if updates else None, "losses": [m for m in mine if isinstance(m, LossNotice)]}

    def mirrored_to(offset: int) -> bool:
        update = told()["update"]
        return update is not None and update.mirrored_offset >= offset

    with engines.mirror():
        produce(kafka, partition[0], [b"%d" % number for number in range(10)], partition=0)
        until(lambda: mirrored_to(10), PATIENCE_S, "the first records in the cloud", every_s=1)
    produce(kafka, partition[0], [b"%d" % number for number in range(10, 30)], partition=0)
    forget(kafka, partition[0], 25)
    until(lambda: told()["losses"], PATIENCE_S, "the loss", every_s=1)
    (loss,) = told()["losses"]
    assert (loss.where, loss.from_offset, loss.to_offset, loss.count) == ("mirror", 10, 25, 15)
    assert loss.after_ms < loss.before_ms
    with engines.mirror():
        until(lambda: mirrored_to(30), PATIENCE_S, "the rest in the cloud", every_s=1)
    values = [m.value() for m in read(engines.places.cloud, partition[0])]
    assert values == [b"%d" % number for number in (*range(10), *range(25, 30))]
    assert told()["losses"] == [loss], "told once"
    watcher.close()


def test_a_topic_that_was_reset_is_mirrored_from_its_beginning_and_nothing_counts_as_lost(engines: Engines) -> None:
    places, watcher = engines.places, Watcher(engines.places)
    topic = engines.topic

    def mirrored(count: int) -> bool:
        try:
            watcher.look([topic], round(time.time() * 1000))
        except TimeoutError:
            return False  # as the watcher itself, which looks again
        return len(read(places.cloud, topic)) >= count

    def losses() -> list[str]:
        """The ids of all that were told of the topic, also of those that are forgotten."""
        told = [read_progress(m.key(), m.value()) for m in read(places.cloud, PROGRESS_TOPIC) if m.value()]
        return [each.id for each in told if isinstance(each, LossNotice) and each.topic == topic]

    make_anew(engines, places.onprem)
    with engines.mirror():
        send(places.onprem, topic, range(5))
        until(lambda: mirrored(5), PATIENCE_S, "the first records in the cloud", every_s=1)
    before = losses()
    watcher.look([], round(time.time() * 1000))  # its pipeline is removed
    make_anew(engines, places.cloud)
    make_anew(engines, places.onprem)
    traces = traces_of(places, [topic])
    assert {trace.topic for trace in traces.records} == {MIRROR_OFFSETS, PROGRESS_TOPIC}
    traces.forget()
    assert traces_of(places, [topic]).records == ()
    send(places.onprem, topic, range(100, 112))
    with engines.mirror():
        until(lambda: mirrored(12), PATIENCE_S, "every record in the cloud", every_s=1)
    assert len(read(places.cloud, topic)) == 12
    assert losses() == before
    watcher.close()
