"""The rollout's topics on a real broker: states in order, each command once, and what does not read is passed."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator
from functools import partial

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from prometheus_client import REGISTRY

from contract.layout import Kafka
from contract.messages.codec import Message, encode
from contract.messages.model_states import ModelState
from contract.messages.operator_commands import OperatorCommand, PromoteCommand, UnpinCommand
from infra.engines import kafka_broker
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import broker_answers
from serving.rollout.command_topic import CommandTopic, Noted
from serving.rollout.pending_commands import Ordered, Pending
from serving.rollout.state_publisher import StatePublisher
from streaming.kafka.pipeline_topics import onprem_topics
from streaming.kafka.topic_admin import make_topics
from streaming.kafka.topic_ids import TopicIds
from streaming.pipeline_file.load import load
from tests.integration.conftest import free_base
from tests.integration.secured_kafka import running
from tests.streaming.pipelines import MINIMAL
from tests.waiting import until
from training.candidates.published_states import PublishedStates, published_states

pytestmark = pytest.mark.engines

PIPELINE = load(MINIMAL)
COMMANDS, MODELS = PIPELINE.commands_topic, PIPELINE.models_topic
UNPIN, PROMOTE = UnpinCommand(who="ann"), PromoteCommand(version="v1", who="bob")
HOSTILE = [b"not json", b"\xff", b"[" * 100_000, b"{}", b'{"do": "dance"}', b'{"do": "unpin", "who": 7}', b""]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    folder, base = tmp_path_factory.mktemp("onprem"), free_base()
    env = {**os.environ, "HOTPATH_DATA": str(folder), "HOTPATH_PORT_BASE": str(base)}
    settings, ports = Settings.from_environment(env), Ports(base, folder / "ports.json")
    with running(settings, kafka_broker.broker(settings, ports, "onprem"), folder / "onprem.log"):
        kafka = Kafka(ports.address("onprem"), {})
        until(partial(broker_answers, kafka), 120, "the broker")
        yield kafka


def make(kafka: Kafka, name: str) -> None:
    make_topics(kafka, [topic for topic in onprem_topics(PIPELINE) if topic.name == name])


def produce(kafka: Kafka, topic: str, *records: tuple[bytes, bytes | None]) -> None:
    producer = Producer(kafka.client())
    for key, value in records:
        producer.produce(topic, value, key)
    assert producer.flush(30) == 0


def order(kafka: Kafka, *commands: Message | bytes) -> None:
    produce(kafka, COMMANDS, *((b"", c if isinstance(c, bytes) else encode(c)) for c in commands))


def followed(kafka: Kafka, next_offset: int | None, topic_id: str | None = None) -> tuple[CommandTopic, Pending]:
    pending: Pending = queue.SimpleQueue()
    topic = CommandTopic(kafka, COMMANDS, Noted(next_offset, topic_id), pending)
    topic.start()
    return topic, pending


def given(pending: Pending) -> tuple[OperatorCommand | None, int]:
    """The next command and the offset after it; every one is noted with the id of the topic."""
    ordered = pending.get(timeout=60)
    assert isinstance(ordered, Ordered)
    assert ordered.topic_id
    return ordered.command, ordered.next_offset


def unreadable(topic: str) -> float:
    return REGISTRY.get_sample_value("hotpath_unreadable_records_total", {"topic": topic}) or 0.0


def test_every_command_is_given_once_and_what_does_not_read_is_passed(kafka: Kafka) -> None:
    make(kafka, COMMANDS)
    order(kafka, PROMOTE)
    first, pending = followed(kafka, None)
    assert given(pending) == (None, 1), "what came before the rollout knew the topic is past"
    before = unreadable(COMMANDS)
    order(kafka, UNPIN, *HOSTILE, PROMOTE)
    expected = [(UNPIN, 2), *((None, 3 + n) for n in range(len(HOSTILE))), (PROMOTE, 10)]
    assert [given(pending) for _ in expected] == expected
    assert unreadable(COMMANDS) == before + len(HOSTILE)
    first.stop()
    second, again = followed(
        kafka, 9, TopicIds(kafka).of([COMMANDS])[COMMANDS]
    )  # it had noted all but the last one when it was killed
    assert given(again) == (PROMOTE, 10)
    order(kafka, UNPIN)
    assert given(again) == (UNPIN, 11)
    second.stop()


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(kafka: Kafka) -> None:
    admin = AdminClient({str(name): value for name, value in kafka.client().items()})
    remake(admin, kafka)
    order(kafka, UNPIN)
    topic, pending = followed(kafka, 11)
    assert given(pending) == (None, 0)
    assert given(pending) == (UNPIN, 1)
    remake(admin, kafka)
    order(kafka, UNPIN)
    assert given(pending) == (None, 0), "the follower that runs notices it, although the offsets are the same"
    assert given(pending) == (UNPIN, 1)
    topic.stop()
    noted = TopicIds(kafka).of([COMMANDS])[COMMANDS]
    remake(admin, kafka)
    order(kafka, UNPIN, PROMOTE, UNPIN)
    after, pending = followed(kafka, 2, noted)
    assert [given(pending) for _ in range(4)] == [(None, 0), (UNPIN, 1), (PROMOTE, 2), (UNPIN, 3)]
    after.stop()


def remake(admin: AdminClient, kafka: Kafka) -> None:
    for future in admin.delete_topics([COMMANDS]).values():
        future.result()
    until(lambda: COMMANDS not in admin.list_topics(timeout=5).topics, 60, "the topic to be gone")
    make(kafka, COMMANDS)


def state(version: str, number: int) -> ModelState:
    return ModelState(version, "admitted", False, "rollout", "2026-11-21T02:17:00.000Z", str(number), 0.7)


def test_states_are_published_in_their_order_and_read_again(kafka: Kafka) -> None:
    assert published_states(kafka, MODELS) == PublishedStates({}), "there is no topic yet"
    make(kafka, MODELS)
    records = tuple(state(f"v{number % 7}", number) for number in range(250))
    publisher, waiting = StatePublisher(kafka, MODELS), list(records)

    def all_taken() -> bool:
        for taken in publisher.acknowledged():
            assert taken == waiting.pop(0)
        publisher.offer(waiting)
        return not waiting

    until(all_taken, 60, "the broker to take every record")
    publisher.close(5)
    newest = {record.version: record for record in records}
    before = unreadable(MODELS)
    hostile: list[tuple[bytes, bytes | None]] = [(b"v1", content) for content in HOSTILE]
    other = encode(state("v9", 1))
    produce(kafka, MODELS, *hostile, (b"\xff", b"{}"), (b"v3", other), (b"v2", None))
    found = published_states(kafka, MODELS)
    assert found.states == newest, "the last ones that read; a removed one was known before"
    assert found.unreadable == {"v1", "v3", "\ufffd"}
    assert unreadable(MODELS) == before + len(HOSTILE) + 2
    produce(kafka, MODELS, (b"v1", encode(newest["v1"])))
    assert published_states(kafka, MODELS).unreadable == {"v3", "\ufffd"}
