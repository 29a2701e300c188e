"""The whole loop: one flight is asked about, arrives, and comes back as a row to train on and as an outcome."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer
from deltalake import DeltaTable

from contract.pipeline import Pipeline
from streaming.pipeline_file.load import load
from tests.integration.conftest import RunningStack
from tests.waiting import until

pytestmark = pytest.mark.engines


class Flight:
    """A flight of our own, due in a minute: `question` as applications ask it, `arrival` as its label."""

    def __init__(self, pipeline: Pipeline, number: int) -> None:
        self.pipeline, self.number = pipeline, number
        self.entity = {"carrier": "ZZ", "flight": number, "date": f"test-{time.time_ns()}", "origin": "JFK"}

    def question(self, name: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        scheduled = {"scheduled_departure": now - timedelta(minutes=6), "scheduled_arrival": now - timedelta(minutes=2)}
        times = {field: moment.isoformat(timespec="milliseconds") for field, moment in scheduled.items()}
        asked = {"question_id": name, "asked_at": now.isoformat(timespec="milliseconds"), "host": "test"}
        return asked | self.entity | times | {"dest": "LAX", "distance": 2475.0, "departed": True}

    def arrival(self, delay: float) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {"arrived_at": now, "host": "test", "arrival_delay": delay} | self.entity


def produce(stack: RunningStack, topic: str, record: dict[str, Any]) -> None:
    producer = Producer(stack.places.onprem.client(linger_ms=0))
    producer.produce(topic, json.dumps(record).encode(), json.dumps(record["flight"]).encode())
    assert producer.flush(30) == 0


def of_ids(stack: RunningStack, table: str, ids: set[str]) -> list[dict[str, Any]]:
    """The records of these questions in a table, without the bytes."""
    found = DeltaTable(stack.places.table("flights", table)).to_pyarrow_table(filters=[("id", "in", sorted(ids))])
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


@dataclass(frozen=True)
class Travelling:
    """A flight that was asked about before and after it arrived, and the answer to the first question."""

    before: str
    after: str
    answer: dict[str, Any]


@pytest.fixture(scope="session")
def travelling(stack: RunningStack) -> Travelling:
    """Its bucket closes in a minute or two; other tests run meanwhile, whatever they kill."""
    pipeline = load(stack.places.pipelines / "flights.toml")
    headers = {"authorization": f"Bearer {(stack.data / 'keys').read_text().split()[0]}"}
    flight = Flight(pipeline, number=time.time_ns() % 1_000_000)
    before, after = f"before-{flight.number}", f"after-{flight.number}"

    question = flight.question(before)
    address = f"http://{stack.env['HOTPATH_SCORER_FLIGHTS']}/v1/pipelines/flights/predict"
    answer = httpx.post(address, json=question, headers=headers).raise_for_status().json()
    produce(stack, pipeline.events.topic, question)
    # both are on the broker before the label is: else they would be known
    until(lambda: of_ids(stack, "events", {before}), 120, "the question in `events`", every_s=1)
    until(lambda: of_ids(stack, "predictions", {before}), 120, "the answer in `predictions`", every_s=1)
    produce(stack, pipeline.label.topic, flight.arrival(delay=40.0))

    # asked after it has arrived: known, and never a row
    produce(stack, pipeline.events.topic, flight.question(after))
    return Travelling(before, after, answer)


@pytest.mark.begins
def test_a_question_travels_from_the_broker_to_events_and_its_answer_to_predictions(
    stack: RunningStack, travelling: Travelling
) -> None:
    logged = of_ids(stack, "predictions", {travelling.before})
    assert [one["prediction_id"] for one in logged] == [travelling.answer["prediction_id"]]


@pytest.mark.ends
def test_it_comes_back_as_a_row_and_its_answer_as_an_outcome(stack: RunningStack, travelling: Travelling) -> None:
    pipeline = load(stack.places.pipelines / "flights.toml")
    before, after, answer = travelling.before, travelling.after, travelling.answer

    def both() -> list[dict[str, Any]]:
        found = of_ids(stack, f"rows-{pipeline.rows_hash}", {before, after})
        return found if len(found) == 2 else []

    rows = until(both, 420, "both questions in `rows`", every_s=2)
    states = {row["id"]: (row["state"], row["label"]) for row in rows}
    assert states == {before: ("row", True), after: ("known", None)}
    row = next(row for row in rows if row["id"] == before)
    assert (row["f_route"], row["f_scheduled_minutes"]) == ("JFK-LAX", 240.0)

    outcomes = until(lambda: of_ids(stack, "outcomes", {before}), 300, "the answer in `outcomes`", every_s=2)
    assert [(one["prediction_id"], one["model"], one["label"], one["state"]) for one in outcomes] == [
        (answer["prediction_id"], answer["model"], True, "row")
    ]
    assert outcomes[0]["probability"] == answer["probability"]
