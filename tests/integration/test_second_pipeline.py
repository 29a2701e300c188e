"""A pipeline of another domain beside the example: numbers only, its own tables, address, scorers and models."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from contract.messages.codec import encode
from contract.messages.imports import ImportNotice
from contract.pipeline import Pipeline
from contract.topics import APPEND_TIME_HEADER, IMPORTS_TOPIC
from streaming.lake.filesystem import file_system
from streaming.pipeline_file.load import load
from tests.integration.conftest import RunningStack
from tests.waiting import until

pytestmark = pytest.mark.engines

MINIMAL = Path(__file__).parents[1] / "pipelines" / "minimal.toml"
MINUTES = 62


class Machines:
    """An hour of readings and inspections, produced as an import; hot machines fail."""

    def __init__(self, stack: RunningStack, pipeline: Pipeline) -> None:
        self._producer = Producer(stack.places.onprem.client(linger_ms=5))
        self._pipeline = pipeline
        self._chance = random.Random(1)

    def import_an_hour(self) -> None:
        self._announce(True)
        now_s = time.time()
        for minute in range(MINUTES, 2, -1):
            for machine in range(20):
                self._one_shift(minute * 1000 + machine, now_s - 60 * minute)
        assert self._producer.flush(60) == 0
        self._announce(False)

    def _one_shift(self, machine: int, began_s: float) -> None:
        heat = self._chance.uniform(20, 90)
        for n in range(3):
            at_s = began_s + 10 * n
            reading = {"reading": machine * 10 + n, "read_at": round(at_s * 1000), "machine": machine, "shift": 1}
            measured = {"temperature": heat + n, "load": 0.5, "hours_run": machine % 7000, "alarm": heat > 85}
            self._produce(self._pipeline.events.topic, reading | measured, at_s)
        fails = self._chance.random() < (0.7 if heat > 60 else 0.1)
        self._produce(
            self._pipeline.label.topic, {"machine": machine, "shift": 1, "failures": int(fails)}, began_s + 60
        )

    def _produce(self, topic: str, record: dict[str, Any], at_s: float) -> None:
        headers: list[tuple[str, str | bytes | None]] = [(APPEND_TIME_HEADER, str(round(at_s * 1000)).encode())]
        self._producer.produce(topic, json.dumps(record).encode(), str(record["machine"]).encode(), headers=headers)
        self._producer.poll(0)

    def _announce(self, is_open: bool) -> None:
        for topic in (self._pipeline.events.topic, self._pipeline.label.topic):
            notice = ImportNotice(topic=topic, open=is_open, at_ms=round(time.time() * 1000), by="test")
            self._producer.produce(IMPORTS_TOPIC, encode(notice), notice.key)
        assert self._producer.flush(30) == 0


def predict(stack: RunningStack, name: str, event: dict[str, Any]) -> httpx.Response:
    address = (stack.data / "pipelines" / f"{name}.address").read_text().strip()
    headers = {"authorization": f"Bearer {(stack.data / 'keys').read_text().split()[0]}"}
    return httpx.post(f"http://{address}/v1/pipelines/{name}/predict", json=event, headers=headers, timeout=30)


def memory_mib(stack: RunningStack) -> float:
    """What all parts and scorers take together (PSS)."""
    return sum(float(part["pss_mb"]) for part in json.loads(stack.hotpath("status", "--json").stdout)["parts"])


def test_a_second_pipeline_trains_and_answers_beside_the_first(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "machines.toml"
    file.write_text(MINIMAL.read_text() + "\n[clock]\nimports = true\n")
    pipeline = load(file)
    event = {"reading": 1, "machine": 1, "shift": 1, "temperature": 88.0, "load": 0.5, "hours_run": 10, "alarm": True}

    alone_mib = memory_mib(stack)

    done = stack.hotpath("up", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    waiting = predict(stack, "machines", event)
    assert (waiting.status_code, "retry-after" in waiting.headers) == (503, True)

    Machines(stack, pipeline).import_an_hour()
    until(lambda: predict(stack, "machines", event).status_code == 200, 420, "a model", every_s=1)
    hot = predict(stack, "machines", event)
    cold = predict(stack, "machines", event | {"reading": 2, "temperature": 25.0, "alarm": False})
    assert hot.json()["probability"] > cold.json()["probability"]
    assert hot.json()["model"].startswith("machines-")

    address = stack.env["HOTPATH_SCORER_FLIGHTS"]
    assert httpx.get(f"http://{address}/health/ready").status_code == 200
    files, path = file_system(f"{stack.places.root('machines')}/tables")
    tables = {str(entry).rpartition("/")[2] for entry in files.ls(path, detail=False)}
    assert {"events", "labels", f"rows-{pipeline.rows_hash}", "outcomes"} <= tables
    stack.until_well(120)
    added_mib = memory_mib(stack) - alone_mib
    print(f"the second pipeline adds {added_mib:.0f} MiB to {alone_mib:.0f}")
    assert added_mib < 1024
