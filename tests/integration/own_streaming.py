"""A streaming process of a test's own, with a pipeline of its own, beside the stack's: it may be killed at will."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition
from deltalake import DeltaTable

from contract.layout import Kafka, Places
from contract.pipeline import Pipeline
from contract.records import IDENTITY
from streaming.kafka.topic_admin import ensure_topics
from streaming.pipeline_file.load import load

ROOT = Path(__file__).parent.parent.parent
MINIMAL = ROOT / "tests" / "pipelines" / "minimal.toml"

Record = Mapping[str, Any]


class OwnStreaming:
    """`python -m streaming.job` in a data folder of its own, on the stack's brokers and HDFS."""

    def __init__(self, places: Places, env: Mapping[str, str], data: Path, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.places = replace(places, data=data)
        ensure_topics(places, [pipeline])
        self._env = {
            **os.environ,
            **env,
            "HOTPATH_DATA": str(data),
            "HOTPATH_TRIGGER_S": "1",
            "HOTPATH_UPKEEP_S": "30",
            "HOTPATH_METRICS_PORT": "0",
        }
        self._log_file = data / "streaming.log"
        self._log = self._log_file.open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, stuck_s: int = 600) -> None:
        """`stuck_s`: after so long a batch that hangs is given up; a slow one on a busy machine should not be."""
        command, env = [sys.executable, "-m", "streaming.job"], self._env | {"HOTPATH_STUCK_S": str(stuck_s)}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=self._log, stderr=self._log, start_new_session=True
        )

    def must_run(self) -> None:
        """Fail with the end of its log when the process has ended by itself."""
        assert self._process is not None
        code = self._process.poll()
        assert code is None, f"streaming has ended with {code}:\n{self._log_file.read_text()[-4000:]}"

    def kill(self) -> None:
        """kill -9 of the driver and all that it started."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        assert self._process is not None
        return self._process.wait(timeout=150)

    def rows(self, table: str, *columns: str) -> list[dict[str, Any]]:
        """What a table holds now; nothing before it exists."""
        path = self.places.table(self.pipeline.name, table)
        if not DeltaTable.is_deltatable(path):
            return []
        found: list[dict[str, Any]] = DeltaTable(path).to_pyarrow_table(columns=list(columns) or None).to_pylist()
        return found

    def files_by_bucket(self) -> Counter[str]:
        """How many files `events` has of each bucket that closed ten minutes ago or more."""
        uris = DeltaTable(self.places.table(self.pipeline.name, "events")).file_uris()
        buckets = [uri.rpartition("bucket=")[2].partition("/")[0] for uri in uris]
        return Counter(bucket for bucket in buckets if 0 < int(bucket) < time.time() - 600)

    def identities(self, table: str) -> list[tuple[Any, ...]]:
        return [tuple(row[name] for name in IDENTITY) for row in self.rows(table, *IDENTITY)]


def own_pipeline(name: str, folder: Path) -> Pipeline:
    """The small pipeline under a name and topics of its own, with a sensitive field, deployed in `folder`."""
    text = MINIMAL.read_text().replace("machines", name)
    text = text.replace("[events.fields]", '[events.fields]\noperator = { type = "string", sensitive = true }')
    file = folder / "pipelines" / f"{name}.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return load(file)


def produce(kafka: Kafka, topic: str, values: list[bytes], stamp_ms: int = 0, partition: int = -1) -> None:
    """Hand records to a broker, stamped now and to any partition unless said otherwise, and wait until it has them."""
    producer = Producer(kafka.client())
    refused: list[str] = []

    def note(error: KafkaError | None, _: Message) -> None:
        refused.extend([str(error)] if error else [])

    for value in values:
        producer.produce(topic, value, partition=partition, timestamp=stamp_ms, on_delivery=note)
        producer.poll(0)
    assert producer.flush(30) == 0
    assert refused == []


def read(kafka: Kafka, topic: str, number: int = 0) -> list[Message]:
    """All committed records of a partition."""
    settings = {"group_id": "test", "isolation_level": "read_committed", "enable_partition_eof": True}
    consumer = Consumer(kafka.client(**settings))
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING)])
    records = []
    while (message := consumer.poll(10)) is not None and message.error() is None:
        records.append(message)
    consumer.close()
    return records


def as_json(record: Record) -> bytes:
    return json.dumps(record).encode()
