"""The on-prem broker stands still, and the scorer is killed: what was answered meanwhile is logged all the same."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from infra.stack.live_scorers import live_scorers
from serving.prediction_log import producer
from serving.prediction_log.disk_spool import Spool, spooled
from serving.prediction_log.producer import PredictionLog
from streaming.kafka.pipeline_topics import PARTITIONS, onprem_topics
from streaming.kafka.topic_admin import make_topics
from streaming.pipeline_file.load import load
from tests.integration.conftest import RunningStack
from tests.integration.own_streaming import read
from tests.integration.test_cut_off import asked, in_table, scorer_of
from tests.waiting import until

pytestmark = pytest.mark.engines

MINIMAL = Path(__file__).parents[1] / "pipelines" / "minimal.toml"


def test_predictions_wait_for_a_topic_that_is_not_there(
    stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # how long the client takes a topic for one that is about to come; by default half a minute
    monkeypatch.setitem(producer._SETTINGS, "topic.metadata.propagation.max.ms", 1_000)
    file = tmp_path / "late.toml"
    file.write_text(MINIMAL.read_text().replace('name = "machines"', 'name = "late"', 1))
    pipeline, onprem = load(file), stack.places.onprem
    spool = Spool(tmp_path / "spool", "green", 1 << 20)
    log = PredictionLog(onprem, pipeline, spool)

    def on_disk() -> set[bytes]:
        return {record for path in spool.folder.iterdir() for _, record in spooled(path)}

    log.log("k", b"first")
    until(lambda: on_disk() == {b"first"}, 90, "the prediction on disk")  # by then the client knows that there is none
    log.log("k", b"second")
    until(lambda: on_disk() == {b"first", b"second"}, 90, "both predictions on disk")
    make_topics(onprem, [topic for topic in onprem_topics(pipeline) if topic.name == pipeline.predictions_topic])
    until(lambda: not spool.size(), 60, "an empty spool")
    log.close(10)
    arrived = [message for number in range(PARTITIONS) for message in read(onprem, pipeline.predictions_topic, number)]
    assert {message.value() for message in arrived} == {b"first", b"second"}


@pytest.mark.restarts
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
        for scorer in live_scorers(stack.settings.folder):
            os.kill(scorer.pid, signal.SIGKILL)
    finally:
        os.kill(broker, signal.SIGCONT)
    until(lambda: logged <= in_table(stack, "predictions", "prediction_id"), 180, "the predictions in HDFS", every_s=1)
    until(lambda: not on_disk(), 60, "an empty spool", every_s=1)
    stack.until_well(240)
