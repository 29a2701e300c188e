"""A Kafka that asks for TLS, a client's certificate and a login: each of our clients gets in, and none without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from contract.layout import Places
from infra.supervisor.readiness import broker_answers
from streaming.ingest.hot_query import read_kafka
from streaming.kafka.topic_admin import ensure_topics
from streaming.pipeline_file.load import load
from tests.integration.conftest import free_base
from tests.integration.own_streaming import MINIMAL, produce, read
from tests.integration.secured_kafka import PASSWORD, Secured, secured_kafka
from tests.integration.spark import spark
from tests.waiting import until

__all__ = ["spark"]
pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_kafka(tmp_path_factory.mktemp("secured"), free_base()) as running:
        yield running


def test_records_go_through_the_mirror_into_spark(secured: Secured, spark: SparkSession, tmp_path: Path) -> None:
    pipeline, places = load(MINIMAL), secured.places
    values = [b'{"n": %d}' % number for number in range(100)]
    with secured.mirror(pipeline):
        produce(places.onprem, pipeline.events.topic, values)

        def arrived() -> set[bytes]:
            stream = read_kafka(spark, places, pipeline).select("value").writeStream.format("memory")
            query = stream.queryName("arrived").trigger(availableNow=True).start()
            query.awaitTermination()
            return {bytes(row.value) for row in spark.table("arrived").collect()}

        until(lambda: arrived() == set(values), 120, "the records in Spark", every_s=1)
    settings = b"".join(record.value() or b"" for record in read(places.cloud, "mm2-configs.onprem.internal"))
    assert settings.count(b"sasl.jaas.config") > 3, "its connectors' and its tasks'"
    for secret in (PASSWORD.encode(), json.dumps(PASSWORD).encode()[1:-1], b"PRIVATE KEY", b"ScramLoginModule"):
        assert secret not in settings


@pytest.mark.parametrize(
    "lacking", ["SASL_PASSWORD", "SASL_USERNAME", "SSL_CA", "SSL_CERTIFICATE", "SECURITY_PROTOCOL"]
)
def test_nobody_gets_in_with_less(secured: Secured, lacking: str) -> None:
    assert broker_answers(secured.places.cloud)
    less = {name: value for name, value in secured.env.items() if name != f"HOTPATH_CLOUD_KAFKA_{lacking}"}
    assert not broker_answers(Places.from_environment(less).cloud)


def test_a_wrong_password_is_told_as_such(secured: Secured) -> None:
    wrong = {**secured.env, "HOTPATH_CLOUD_KAFKA_SASL_PASSWORD": "wrong"}
    with pytest.raises(RuntimeError, match=r"topics at 127\.0\.0\.1:\d+.*(?i:authentication)") as told:
        ensure_topics(Places.from_environment(wrong), [load(MINIMAL)])
    assert "timed out" not in str(told.value).lower(), "nobody waits for what has been refused"
