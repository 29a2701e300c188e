"""`hotpath train` reaches the trainer through a real broker; what does not read ends nobody."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial

import pytest
from confluent_kafka import Producer
from prometheus_client import REGISTRY

from contract.layout import Kafka
from contract.messages.codec import encode
from contract.messages.commands import TrainNow
from contract.topics import TRAINING_COMMANDS_TOPIC
from infra import cli
from infra.commands.train import send
from infra.engines import kafka_broker
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import broker_answers
from streaming.kafka.pipeline_topics import cloud_topics
from streaming.kafka.topic_admin import make_topics
from tests.integration.conftest import free_base
from tests.integration.secured_kafka import running
from tests.waiting import until
from training.command_inbox import CommandInbox
from training.failures import Failures
from training.trainer import Turn, note_commands

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    folder, base = tmp_path_factory.mktemp("cloud"), free_base()
    env = {**os.environ, "HOTPATH_DATA": str(folder), "HOTPATH_PORT_BASE": str(base)}
    settings, ports = Settings.from_environment(env), Ports(base, folder / "ports.json")
    with running(settings, kafka_broker.broker(settings, ports, "cloud"), folder / "cloud.log"):
        kafka = Kafka(ports.address("cloud"), {})
        until(partial(broker_answers, kafka), 120, "the broker")
        make_topics(kafka, [topic for topic in cloud_topics() if topic.name == TRAINING_COMMANDS_TOPIC])
        yield kafka


@pytest.fixture
def inbox(cloud: Kafka) -> Iterator[CommandInbox]:
    """Of a trainer that has just started, and has read what was there."""
    inbox = CommandInbox(cloud, round(time.time() * 1000))
    until(lambda: inbox.new_commands() == [] and not inbox._is_first_look, 30, "the topic to be read")
    yield inbox
    inbox.close()


def produce(cloud: Kafka, *records: tuple[bytes, bytes | None]) -> None:
    producer = Producer(cloud.client())
    for key, value in records:
        producer.produce(TRAINING_COMMANDS_TOPIC, value, key)
    assert producer.flush(30) == 0


def passed_over() -> float:
    return REGISTRY.get_sample_value("hotpath_unreadable_records_total", {"topic": TRAINING_COMMANDS_TOPIC}) or 0


def test_a_command_makes_its_pipeline_due_and_records_that_do_not_read_are_passed_over(
    cloud: Kafka, inbox: CommandInbox
) -> None:
    before = passed_over()
    right = TrainNow(pipeline="flights")
    hostile: list[tuple[bytes, bytes | None]] = [
        (b"train/flights", b"not json"),
        (b"train/flights", b"\xff\xfe"),
        (b"train/flights", b"[" * 100_000),
        (b"train/flights", b'{"do":"train","pipeline":"\\ud800"}'),
        (b"train/flights", b'{"do":"search","pipeline":"flights"}'),
        (b"train/flights", b'{"do":"train","pipeline":["flights"]}'),
        (b"train/flights", b'{"do":"train","pipeline":"flights","v":99}'),
        (b"other", encode(right)),
    ]
    produce(cloud, *hostile, (b"train/flights", None))
    assert send(cloud, TrainNow(pipeline="nobody's")) is None
    assert send(cloud, right) is None
    turns = {name: Turn(Failures(name)) for name in ("flights", "machines")}

    def is_ordered() -> bool:
        note_commands(inbox, turns)
        return turns["flights"].is_ordered

    until(is_ordered, 30, "the command")
    assert not turns["machines"].is_ordered
    assert passed_over() - before == len(hostile)


def test_what_was_sent_before_the_trainer_started_is_not_done_again(cloud: Kafka) -> None:
    assert send(cloud, TrainNow(pipeline="flights")) is None
    later = CommandInbox(cloud, round(time.time() * 1000) + 60_000)
    until(lambda: later.new_commands() == [] and not later._is_first_look, 30, "the topic to be read")
    assert send(cloud, TrainNow(pipeline="flights", who="somebody")) is None
    found = until(later.new_commands, 30, "the command")
    later.close()
    assert [(command.pipeline, command.who) for command in found] == [("flights", "somebody")]


def test_the_command_line_says_what_happens_next_and_who_did_not_take_it(
    cloud: Kafka, inbox: CommandInbox, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("data")
    (data / "pipelines").mkdir()
    (data / "pipelines" / "flights.toml").touch()
    monkeypatch.setenv("HOTPATH_DATA", str(data))
    monkeypatch.setenv("HOTPATH_CLOUD_KAFKA", cloud.bootstrap)
    assert cli.main(["train", "flights"]) == 0
    assert [command.pipeline for command in until(inbox.new_commands, 30, "the command")] == ["flights"]
    assert cli.main(["train", "unknown"]) == 1
    monkeypatch.setenv("HOTPATH_CLOUD_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr("infra.commands.train.TAKEN_WITHIN_S", 1.0)
    assert cli.main(["train", "flights"]) == 1
