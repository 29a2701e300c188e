"""An answer given at the hot address is on the on-prem broker moments later, with all that its outcome needs."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from contract.layout import Kafka
from contract.records import PREDICTION
from streaming.pipeline_file.load import load
from tests.waiting import until

pytestmark = pytest.mark.engines

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Since:
    """Records of a topic that were appended after this object was made, by prediction id."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        settings = kafka.client(group_id="test-predictions", enable_auto_commit=False, isolation_level="read_committed")
        self._consumer = Consumer(settings)
        partitions = self._consumer.list_topics(topic, 10).topics[topic].partitions
        begin_ms = round(time.time() * 1000) - 1000
        starts = self._consumer.offsets_for_times([TopicPartition(topic, n, begin_ms) for n in partitions], 10)
        self._consumer.assign(starts)
        self._found: dict[str, tuple[bytes, dict[str, Any]]] = {}

    def record(self, prediction_id: str) -> tuple[bytes, dict[str, Any]] | None:
        """(Kafka key, record), once it has come."""
        for message in self._consumer.consume(500, 0.2):
            assert message.error() is None, message.error()
            record = json.loads(message.value())
            self._found[record["prediction_id"]] = (message.key(), record)
        return self._found.get(prediction_id)

    def close(self) -> None:
        self._consumer.close()


def test_an_answer_is_logged_under_its_entity_with_features_due_and_trace(stack: Any) -> None:
    pipeline = load(stack.places.pipelines / "flights.toml")
    key = (stack.places.data / "keys").read_text().split()[0]
    address = stack.env["HOTPATH_SCORER_FLIGHTS"]
    event = {name: value for name, value in pipeline.examples[0].event.items() if name != pipeline.events.time}
    since = Since(stack.places.onprem, pipeline.predictions_topic)
    try:
        with httpx.Client(base_url=f"http://{address}", headers={"authorization": f"Bearer {key}"}) as client:
            path, trace = "/v1/pipelines/flights/predict", {"traceparent": TRACE}
            now = client.post(path, json=event, headers=trace).json()
            then = client.post(path, json=event, params={"as_of": "2026-03-02T12:00:10Z"}).json()
        kafka_key, record = until(lambda: since.record(now["prediction_id"]), 30, "the prediction on Kafka")
        _, hypothetical = until(lambda: since.record(then["prediction_id"]), 30, "the hypothetical prediction")
    finally:
        since.close()
    assert set(record) == set(PREDICTION)
    assert kafka_key.decode() == record["key"]
    assert {name: record[name] for name in ("id", "as_of", "model", "probability", "decision")} == {
        name: now[name] for name in ("id", "as_of", "model", "probability", "decision")
    }
    assert (record["traceparent"], record["hypothetical"]) == (TRACE, False)
    assert set(record["event"]) == set(event)
    assert list(record["features"]) == list(pipeline.features)
    assert hypothetical["hypothetical"], "an explicit as_of far from the clock was not really asked then"
