"""The settings on which one clock and the mirror depend."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.environment import VariableError
from contract.layout import Kafka
from contract.topics import IMPORTS_TOPIC, MAX_RECORD_BYTES, MAX_UNPACKED_BYTES, PROGRESS_TOPIC, TRAINING_COMMANDS_TOPIC
from streaming.kafka.java_client import java_settings
from streaming.kafka.pipeline_topics import FURTHEST_MS, cloud_topics, onprem_topics
from streaming.lake.hot_tables import arrow_schema, gained
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)


def test_onprem_topics_are_stamped_by_the_broker_and_cloud_topics_keep_that_stamp() -> None:
    assert {t.settings["message.timestamp.type"] for t in onprem_topics(PIPELINE)} == {"LogAppendTime"}
    assert {t.settings["message.timestamp.type"] for t in cloud_topics(PIPELINE)} == {"CreateTime"}
    for bound in ("message.timestamp.before.max.ms", "message.timestamp.after.max.ms"):
        assert {t.settings[bound] for t in cloud_topics(PIPELINE)} == {FURTHEST_MS}


def test_both_sides_have_every_mirrored_topic_in_the_same_shape() -> None:
    here = {t.name: t.partitions for t in onprem_topics(PIPELINE) if t.mirrored}
    there = {t.name: t.partitions for t in cloud_topics(PIPELINE) if t.mirrored}
    assert here == there
    assert set(here) == set(PIPELINE.mirrored_topics)
    for topics in (onprem_topics(PIPELINE), cloud_topics(PIPELINE)):
        assert len({t.name for t in topics}) == len(topics), "each topic is created once"


@pytest.mark.parametrize(
    ("retention", "kept"),
    [
        (timedelta(days=30), timedelta(days=1)),
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(minutes=5), timedelta(hours=1)),
    ],
)
def test_a_stream_is_kept_as_long_as_the_tables_but_for_an_hour_at_least_and_a_day_at_most(
    retention: timedelta, kept: timedelta
) -> None:
    pipeline = replace(PIPELINE, lake=replace(PIPELINE.lake, retention=retention))
    topics = onprem_topics(pipeline) + cloud_topics(pipeline)
    mirrored = [t.settings for t in topics if t.mirrored]
    streams = [settings for settings in mirrored if settings["cleanup.policy"] == "delete"]
    assert {int(settings["retention.ms"]) for settings in streams} == {kept // timedelta(milliseconds=1)}
    assert all(int(settings["segment.ms"]) <= 3_600_000 for settings in streams), "only a whole segment goes"


def test_sizes_agree_along_the_whole_way() -> None:
    assert {t.settings["max.message.bytes"] for t in onprem_topics(PIPELINE)} == {str(MAX_RECORD_BYTES)}
    in_the_cloud = {int(t.settings["max.message.bytes"]) for t in cloud_topics(PIPELINE)}
    assert min(in_the_cloud) > MAX_UNPACKED_BYTES, "the mirror may compress less well"


def test_states_imports_progress_and_commands_to_the_trainer_are_compacted() -> None:
    compacted = {t.name for t in onprem_topics(PIPELINE) + cloud_topics(PIPELINE) if "compact" in t.settings.values()}
    assert compacted == {PIPELINE.models_topic, IMPORTS_TOPIC, PROGRESS_TOPIC, TRAINING_COMMANDS_TOPIC}


def test_a_login_reaches_clients_in_java_with_its_quotes_escaped() -> None:
    login = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "u", "sasl.password": 'a"b'}
    settings = java_settings(Kafka("broker:9092", login))
    assert settings["sasl.jaas.config"].endswith('ScramLoginModule required username="u" password="a\\"b";')


def test_a_key_that_java_cannot_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    key = tmp_path / "client.key"
    key.write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    with pytest.raises(VariableError, match=rf"{key} is no private key in PKCS#8.*openssl pkcs8 -topk8 -in {key}"):
        java_settings(Kafka("broker:9092", {"ssl.key.location": str(key), "ssl.certificate.location": str(key)}))


def test_a_new_field_is_seen_as_gained_and_a_lost_one_is_not() -> None:
    schema = arrow_schema(PIPELINE, "events")
    smaller = [field for field in schema if field.name != "host"]
    assert gained(smaller, schema)
    assert not gained(schema, smaller)
    assert not gained(schema, schema)


@pytest.mark.parametrize("order", [1, -1])
def test_what_another_pipeline_reads_as_facts_stays_what_it_is(order: int) -> None:
    facts = (PIPELINE.models_topic, PIPELINE.commands_topic, PIPELINE.predictions_topic)
    other = replace(PIPELINE, name="other", facts=facts, lake=replace(PIPELINE.lake, retention=timedelta(hours=2)))
    alone = {topic.name: topic for topic in onprem_topics(PIPELINE)}
    both = {topic.name: topic for topic in onprem_topics(*(PIPELINE, other)[::order])}
    for name in facts:
        assert both[name] == replace(alone[name], mirrored=True)
