"""Asks the engines and this host every few seconds, in a thread of its own, and shows what they say as metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import httpx
from confluent_kafka import KafkaException

from contract import metrics, variables
from contract.environment import VariableError
from contract.layout import Kafka, Places
from contract.metric_types import ReplacedGauge
from contract.pipeline import Pipeline
from monitoring.collect.h2o_figures import read_h2o
from monitoring.collect.hdfs_figures import read_hdfs
from monitoring.collect.host_figures import processor_seconds, read_host
from monitoring.collect.kafka_figures import BrokerFolder, KafkaFigures, KafkaReader

EVERY_S = 10.0
SIDES = ("onprem", "cloud")
Ask: TypeAlias = Callable[[], None]
log = logging.getLogger("engine_follower")


class EngineFollower:
    """Of the engines that the environment names. One that does not answer shows no figures but a 0."""

    def __init__(self, places: Places, deployed: Callable[[], list[Pipeline]]) -> None:
        self._places, self._deployed = places, deployed
        self._client = httpx.Client()
        self._kafka: dict[str, KafkaFigures] = {}
        self._answers: dict[str, bool] = {}
        self._folders = {side: BrokerFolder(places.folder.engine(f"kafka-{side}")) for side in SIDES}
        self._asks = self._asks_of_what_is_named()

    def follow(self) -> None:
        """For ever."""
        while True:
            self.look()
            time.sleep(EVERY_S)

    def look(self) -> None:
        """Ask everything once."""
        for engine, ask in self._asks.items():
            try:
                ask()
                self._note(engine, None)
            except (httpx.HTTPError, KafkaException, ValueError, OSError) as error:
                self._note(engine, error)
        metrics.ENGINE_ANSWERS.replace({(engine,): float(answers) for engine, answers in self._answers.items()})
        self._show_kafka()

    def _note(self, engine: str, error: Exception | None) -> None:
        if error is not None and self._answers.get(engine, True):
            log.warning("engine does not answer engine=%s error=%r", engine, str(error) or type(error).__name__)
        self._answers[engine] = error is None

    def _asks_of_what_is_named(self) -> dict[str, Ask]:
        asks: dict[str, Ask] = {"host": self._ask_host}
        for side, kafka in (
            ("onprem", _named(lambda: self._places.onprem)),
            ("cloud", _named(lambda: self._places.cloud)),
        ):
            if kafka is not None:
                asks[f"kafka-{side}"] = partial(self._ask_kafka, side, KafkaReader(kafka))
        if url := self._places.environment.get(variables.HDFS_HTTP):
            asks["hdfs"] = partial(self._ask_hdfs, url)
        if self._places.environment.is_given(variables.H2O):
            asks["h2o"] = self._ask_h2o
        return asks

    def _ask_kafka(self, side: str, reader: KafkaReader) -> None:
        self._kafka.pop(side, None)
        topics = {topic for pipeline in self._deployed() for topic in pipeline.mirrored_topics}
        self._kafka[side] = reader.read(topics)

    def _show_kafka(self) -> None:
        metrics.KAFKA_UNDER_REPLICATED.replace(
            {(side,): float(figures.under_replicated) for side, figures in self._kafka.items()}
        )
        metrics.KAFKA_APPENDED_RECORDS.replace(
            {
                (side, topic): float(end)
                for side, figures in self._kafka.items()
                for topic, end in figures.appended.items()
            }
        )
        looked = {side: folder.look() for side, folder in self._folders.items()}
        folders = {side: figures for side, figures in looked.items() if figures is not None}
        metrics.KAFKA_LOG_BYTES.replace({(side,): float(each.size_bytes) for side, each in folders.items()})
        for side, each in folders.items():
            metrics.KAFKA_BYTES_IN.labels(side=side).inc(each.appended_bytes)

    def _ask_hdfs(self, url: str) -> None:
        gauges = (
            metrics.HDFS_CAPACITY_BYTES,
            metrics.HDFS_REMAINING_BYTES,
            metrics.HDFS_MISSING_BLOCKS,
            metrics.HDFS_LIVE_NODES,
        )
        _clear(gauges)
        found = read_hdfs(self._client, url)
        values = (found.capacity_bytes, found.remaining_bytes, found.missing_blocks, found.live_nodes)
        _show(dict(zip(gauges, values, strict=True)))

    def _ask_h2o(self) -> None:
        gauges = (metrics.H2O_NODES, metrics.H2O_FREE_MEMORY_BYTES, metrics.H2O_RUNNING_JOBS)
        _clear(gauges)
        found = read_h2o(self._client, self._places.h2o)
        _show(dict(zip(gauges, (found.nodes, found.free_memory_bytes, found.running_jobs), strict=True)))

    def _ask_host(self) -> None:
        found = read_host(self._places.data)
        _show(
            {
                metrics.HOST_CPU_RATIO: found.cpu_ratio,
                metrics.HOST_AVAILABLE_MEMORY_BYTES: found.available_memory_bytes,
                metrics.HOST_FREE_DISK_BYTES: found.free_disk_bytes,
            }
        )
        spent = processor_seconds(self._places.folder.pids)
        metrics.PART_CPU_SECONDS.replace({(part,): seconds for part, seconds in spent.items()})
        metrics.HOST_NETWORK_BYTES.replace({("received",): found.received_bytes, ("sent",): found.sent_bytes})


def _named(kafka: Callable[[], Kafka]) -> Kafka | None:
    try:
        return kafka()
    except VariableError:
        return None  # this host does not reach it


def _show(values: Mapping[ReplacedGauge, float]) -> None:
    for gauge, value in values.items():
        gauge.replace({(): value})


def _clear(gauges: tuple[ReplacedGauge, ...]) -> None:
    for gauge in gauges:
        gauge.replace({})
