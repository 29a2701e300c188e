"""Models of a running stack: their states on the broker, people's commands, and their way from the registry."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from contract.records import MODEL_STATE, MODEL_STATES
from serving.candidates.state_store import read_states
from serving.candidates.sync import Registry
from tests.integration.conftest import RunningStack
from tests.integration.test_alerts import message
from tests.waiting import until

pytestmark = pytest.mark.engines

TOPIC = "flights.models"


def last_records(stack: RunningStack) -> dict[str, dict[str, Any]]:
    """Version -> its newest record on the on-prem topic."""
    consumer = Consumer(stack.places.onprem.client(group_id="test-models", enable_auto_commit=False))
    try:
        partitions = consumer.list_topics(TOPIC, 10).topics[TOPIC].partitions
        ends = {number: consumer.get_watermark_offsets(TopicPartition(TOPIC, number), 10)[1] for number in partitions}
        consumer.assign([TopicPartition(TOPIC, number, 0) for number in partitions])
        found: dict[str, dict[str, Any]] = {}

        def all_read() -> bool:
            for message in consumer.consume(500, 0.5):
                assert message.error() is None, message.error()
                found[message.key().decode()] = json.loads(message.value())
            return all(position.offset >= ends[position.partition] for position in _positions(consumer, ends))

        until(all_read, 30, "the end of the topic")
        return found
    finally:
        consumer.close()


def _positions(consumer: Consumer, ends: dict[int, int]) -> list[TopicPartition]:
    asked = [TopicPartition(TOPIC, number) for number, end in ends.items() if end > 0]
    return list(consumer.position(asked))


def listed(stack: RunningStack) -> list[dict[str, Any]]:
    answer = stack.hotpath("models", "list", "--pipeline", "flights", "--json")
    assert answer.returncode == 0, answer.stderr
    models: list[dict[str, Any]] = json.loads(answer.stdout)
    return models


def champion(stack: RunningStack) -> str:
    model = read_states(stack.places.onprem_folder("flights")).champion()
    assert model is not None
    return model.version


def page(stack: RunningStack) -> dict[str, Any]:
    """What the status page shows, as JSON."""
    shown: dict[str, Any] = httpx.get(f"http://{stack.env['HOTPATH_PAGE']}/status.json", timeout=5).json()
    return shown


def seen(stack: RunningStack) -> dict[str, Any]:
    """What the monitor sees of the example."""
    pipeline: dict[str, Any] = next(each for each in page(stack)["pipelines"] if each["name"] == "flights")
    return pipeline


def alerts(stack: RunningStack) -> set[tuple[str, str]]:
    return {(alert["code"], alert["state"]) for alert in page(stack)["alerts"]}


def test_every_state_is_a_record_on_the_on_prem_topic(stack: RunningStack) -> None:
    folder = stack.places.onprem_folder("flights")
    until(lambda: not read_states(folder).unsent, 30, "all states told")
    records = last_records(stack)
    assert champion(stack) in records
    for version, record in records.items():
        assert record.keys() == MODEL_STATE.keys()
        assert record["version"] == version
        assert record["state"] in MODEL_STATES


def test_a_version_promoted_by_hand_is_pinned_and_stays_until_unpinned(stack: RunningStack) -> None:
    version = champion(stack)
    promoted = stack.hotpath("models", "promote", version, "--why", "we look at it")
    assert promoted.returncode == 0, promoted.stderr
    try:
        shown = json.loads(stack.hotpath("models", "show", version, "--json").stdout)
        assert (shown["pinned"], shown["why"], shown["state"]) == (True, "we look at it", "champion")
        assert f"{version} is pinned by {shown['who']} since {shown['when']}" in stack.hotpath("status").stdout
        until(lambda: seen(stack)["pinned"], 60, "the pin on the page")
        assert seen(stack)["pinned"]["who"] == shown["who"]
        assert ("pinned", "firing") in alerts(stack)
        newer = [model for model in listed(stack) if model["version"] > version]
        assert "champion" not in {model["state"] for model in newer}
    finally:
        assert stack.hotpath("models", "unpin", "--pipeline", "flights").returncode == 0
    until(lambda: ("pinned", "resolved") in alerts(stack), 60, "the end of the alert")
    until(lambda: message(stack, "pinned", "resolved"), 30, "the message of it")
    told = message(stack, "pinned")
    assert told is not None
    assert f"{version} is pinned by {shown['who']}" in told["text"]
    unknown = stack.hotpath("models", "promote", "flights-19700101T000000Z")
    assert unknown.returncode == 1
    assert "hotpath models list" in unknown.stderr


def test_every_proposed_candidate_of_the_registry_comes_on_prem(stack: RunningStack) -> None:
    registry = Registry(stack.places.registry("flights"))
    local = stack.places.onprem_folder("flights") / "candidates"
    complete = [version for version in registry.versions() if registry.is_complete(version)]
    assert complete
    until(lambda: all((local / version / "manifest.json").exists() for version in complete), 60, f"{complete} on-prem")


def test_a_pipeline_is_trained_when_somebody_wants_it(stack: RunningStack) -> None:
    """Whether it is due or has new rows."""
    log = stack.settings.logs / "trainer.log"
    done = stack.hotpath("train", "flights")
    assert (done.returncode, done.stderr) == (0, "")
    assert "hotpath logs trainer" in done.stdout
    until(lambda: "command to train pipeline=flights" in log.read_text(), 120, "the trainer to note the command")
    noted = log.read_text().rindex("command to train pipeline=flights")
    until(lambda: "candidate written version=flights-" in log.read_text()[noted:], 600, "the candidate")
