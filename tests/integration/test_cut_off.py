"""With the cloud cut off: answers go on, the model's age rises and is told, and everything catches up afterwards."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from deltalake import DeltaTable

from contract.pipeline import Pipeline
from infra.stack.announce import event_of_now
from streaming.pipeline_file.load import load
from tests.integration.conftest import RunningStack
from tests.integration.test_alerts import items, moment_s
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.restarts]

CLOUD = ("kafka-cloud", "namenode", "datanode", "h2o")
PREDICT = "/v1/pipelines/flights/predict"


@contextmanager
def cut_off(stack: RunningStack) -> Iterator[None]:
    """The cloud's engines stand still: connections to them hang, as they do when a line is cut."""
    pids = [pid for name in CLOUD if (pid := stack.part_pid(name))]
    assert len(pids) == len(CLOUD)
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def scorer_of(stack: RunningStack) -> httpx.Client:
    """A client of the example's hot address, with the key."""
    headers = {"authorization": f"Bearer {(stack.data / 'keys').read_text().split()[0]}"}
    return httpx.Client(base_url=f"http://{stack.env['HOTPATH_SCORER_FLIGHTS']}", headers=headers, timeout=30)


def asked(client: httpx.Client, pipeline: Pipeline, ahead: timedelta = timedelta(0)) -> dict[str, Any]:
    """An answer to the example's question, asked now; with `ahead`, as of a moment still to come."""
    now = datetime.now(UTC)
    options = {"as_of": (now + ahead).isoformat()} if ahead else {}
    answer = client.post(PREDICT, json=event_of_now(pipeline, now), params=options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def in_table(stack: RunningStack, name: str, column: str) -> set[str]:
    table = DeltaTable(stack.places.table("flights", name)).to_pyarrow_table(columns=[column])
    return set(table[column].to_pylist())


def test_answers_go_on_the_age_rises_and_everything_catches_up(stack: RunningStack) -> None:
    pipeline = load(stack.places.pipelines / "flights.toml")
    with scorer_of(stack) as client:
        with cut_off(stack):
            began_s = time.time()
            first = asked(client, pipeline)
            answers = [first]

            def has_aged() -> bool:
                answers.append(asked(client, pipeline))
                same = answers[-1]["model"] == first["model"]
                return bool(same and answers[-1]["model_age_s"] > first["model_age_s"] + 10)

            until(has_aged, 90, "a model ten seconds older", every_s=0.5)
            late = asked(client, pipeline, ahead=pipeline.serving.max_age)
            assert late["expired"] is True
            engines = {"kafka-cloud", "hdfs", "h2o"}
            until(lambda: items(stack, "engine_down", "firing", began_s) >= engines, 60, "messages about the engines")
        over_s = time.time()
        until(lambda: items(stack, "engine_down", "resolved", over_s) >= engines, 120, "that they answer again")
        told = {each["alert"] for each in stack.webhook.taken if began_s <= moment_s(each["when"]) <= over_s}
        assert not told & {"mirror_blind", "mirror_lag", "batch_stall", "tables_lag", "rows_lag"}, "they are explained"
        logged = {answer["prediction_id"] for answer in answers}
        until(lambda: logged <= in_table(stack, "predictions", "prediction_id"), 180, "predictions of the cut in HDFS")
        until(lambda: asked(client, pipeline)["model"] > first["model"], 240, "a newer model", every_s=1)
