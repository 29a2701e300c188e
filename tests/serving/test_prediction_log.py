"""The prediction log never stands in an answer's way, and loses nothing uncounted."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from prometheus_client import REGISTRY

from serving.prediction_log import PredictionLog
from streaming.load import load
from streaming.places import Kafka

NOBODY = Kafka("127.0.0.1:1", {})
QUEUE_RECORDS = 100_000


def counted(outcome: str) -> float:
    labels = {"pipeline": "p", "outcome": outcome}
    return REGISTRY.get_sample_value("hotpath_scorer_predictions_total", labels) or 0.0


def test_without_a_broker_records_wait_in_a_bounded_queue_and_the_rest_is_counted() -> None:
    log = PredictionLog(NOBODY, load(Path(__file__).with_name("machines.toml")))
    before, begin = counted("dropped"), time.perf_counter()
    for _ in range(QUEUE_RECORDS + 10):
        log.log('["m-1"]', b"{}")
    each_s = (time.perf_counter() - begin) / QUEUE_RECORDS
    assert each_s < 0.0005, "a full queue does not make anybody wait"
    assert counted("dropped") - before == 10
    asyncio.run(log.flush(0.1))
    assert counted("dropped") - before == QUEUE_RECORDS + 10
    assert counted("delivered") == 0
