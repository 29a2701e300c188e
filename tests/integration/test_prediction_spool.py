"""The on-prem broker stands still, and the scorer is killed: what was answered meanwhile is logged all the same."""

from __future__ import annotations

import os
import signal

import pytest

from infra.scorers import live_scorers
from serving.spool import spooled
from streaming.load import load
from tests.integration.conftest import RunningStack
from tests.integration.test_cut_off import asked, in_table, scorer_of
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.restarts]


def test_predictions_outlive_the_broker_and_the_scorer(stack: RunningStack) -> None:
    pipeline = load(stack.places.pipelines / "flights.toml")
    spool = stack.places.onprem_folder("flights") / "spool"
    broker = stack.part_pid("kafka-onprem")
    assert broker

    def on_disk() -> bytes:
        return b"".join(record for file in spool.iterdir() for _, record in spooled(file))

    os.kill(broker, signal.SIGSTOP)
    try:
        with scorer_of(stack) as client:
            logged = {asked(client, pipeline)["prediction_id"] for _ in range(20)}
        until(lambda: all(each.encode() in on_disk() for each in logged), 90, "the predictions on disk", every_s=1)
        blind = "the watcher has not seen both brokers"
        until(lambda: blind in stack.hotpath("status").stdout, 120, "the watcher's outage in the status", every_s=1)
        for scorer in live_scorers(stack.data):
            os.kill(scorer.pid, signal.SIGKILL)
    finally:
        os.kill(broker, signal.SIGCONT)
    until(lambda: logged <= in_table(stack, "predictions", "prediction_id"), 180, "the predictions in HDFS", every_s=1)
    until(lambda: not on_disk(), 60, "an empty spool", every_s=1)
    stack.until_well(240)
