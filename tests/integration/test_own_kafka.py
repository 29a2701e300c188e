"""Topics of a team's own, at brokers that hotpath did not start: checked, told, never altered unless adopted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from confluent_kafka.admin import AclOperation

from contract.pipeline import Pipeline
from contract.topics import MAX_RECORD_BYTES
from infra.stack.preflight import Unfit
from infra.stack.team_topics import check_team_topics
from streaming.kafka.cluster_admin import TopicsRefused
from streaming.kafka.topic_admin import adopt_topics, check_topics, ensure_topics
from streaming.kafka.topic_check import Difference
from streaming.kafka.topic_notes import read_notes
from streaming.pipeline_file.load import load
from tests.integration.conftest import free_base
from tests.integration.own_kafkas import (
    OwnKafkas,
    allow_alone,
    delete_topic,
    make_topic,
    names,
    own_kafkas,
    settings_of,
)
from tests.integration.own_streaming import MINIMAL
from tests.waiting import until

pytestmark = pytest.mark.engines

STAMPED = {"message.timestamp.type": "LogAppendTime"}
UNLIMITED = {"message.timestamp.after.max.ms": str(2**63 - 1)}
LARGE = {"max.message.bytes": str(MAX_RECORD_BYTES)}
FOR_EVER = {"retention.ms": "-1"}


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnKafkas]:
    with own_kafkas(tmp_path_factory.mktemp("own"), free_base()) as running:
        yield running


@pytest.fixture
def own(brokers: OwnKafkas, tmp_path: Path) -> OwnKafkas:
    """The brokers, and a data folder of the test's own."""
    return brokers.with_folder(tmp_path)


def pipeline_called(name: str) -> Pipeline:
    """The small pipeline with names and topics of its own: tests share the brokers."""
    small = load(MINIMAL)
    events = replace(small.events, topic=small.events.topic.replace("machines", name))
    label = replace(small.label, topic=small.label.topic.replace("machines", name))
    return replace(small, name=name, events=events, label=label)


def made_in(own: OwnKafkas) -> set[str]:
    return {note.topic for note in read_notes(own.places.folder.made_topics) if note.how == "made"}


def test_what_lacks_is_made_and_noted_and_kept_as_hotpath_needs_it(own: OwnKafkas) -> None:
    pipeline = pipeline_called("made")
    assert ensure_topics(own.places, [pipeline]) == []
    assert set(pipeline.mirrored_topics) <= names(own.places.onprem) & names(own.places.cloud)
    assert set(pipeline.mirrored_topics) <= made_in(own)
    longer = replace(pipeline, lake=replace(pipeline.lake, retention=timedelta(hours=20)))
    ensure_topics(own.places, [longer])
    assert settings_of(own.places.cloud, pipeline.events.topic)[pipeline.events.topic]["retention.ms"] == "72000000"


def test_the_longest_retention_wins_whatever_the_order(own: OwnKafkas) -> None:
    short, other = pipeline_called("short"), pipeline_called("longer")
    short = replace(short, lake=replace(short.lake, retention=timedelta(hours=3)))
    longer = replace(other, events=short.events, lake=replace(short.lake, retention=timedelta(hours=9)))
    for order in ((short, longer), (longer, short)):
        ensure_topics(own.places, order)
        for kafka in (own.places.onprem, own.places.cloud):
            assert settings_of(kafka, short.events.topic)[short.events.topic]["retention.ms"] == str(9 * 3_600_000)


WRONG = {
    "stamps": ("onprem", {}, "message.timestamp.type is CreateTime", "message.timestamp.type=LogAppendTime"),
    "compact": ("onprem", STAMPED | {"cleanup.policy": "compact,delete"}, "compact", "cleanup.policy=delete"),
    "large": ("onprem", STAMPED | {"max.message.bytes": "9000000"}, "9000000", f"max.message.bytes={MAX_RECORD_BYTES}"),
    "cloudstamps": ("cloud", STAMPED | LARGE, "LogAppendTime", "message.timestamp.type=CreateTime"),
    "cloudsmall": ("cloud", {"max.message.bytes": "1000"}, "1000", f"max.message.bytes={MAX_RECORD_BYTES}"),
    "cloudcompact": ("cloud", LARGE | {"cleanup.policy": "compact"}, "compact", "cleanup.policy=delete"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_topic_that_cannot_be_used_is_refused_with_the_command_and_adoption_mends_it(
    own: OwnKafkas, wrong: str
) -> None:
    side, settings, told, change = WRONG[wrong]
    pipeline = pipeline_called(wrong)
    topic, kafka = pipeline.events.topic, getattr(own.places, side)
    make_topic(kafka, topic, settings)
    before = settings_of(kafka, topic)
    with pytest.raises(TopicsRefused) as refused:
        ensure_topics(own.places, [pipeline])
    where = f"--bootstrap-server {kafka.bootstrap} --alter --entity-type topics --entity-name {topic}"
    assert f"kafka-configs.sh {where} --add-config {change}" in str(refused.value)
    assert told in str(refused.value)
    assert settings_of(kafka, topic) == before
    assert pipeline.predictions_topic not in names(own.places.onprem), "nothing was made either"

    adopt_topics(own.places, check_topics(own.places, [pipeline]))
    name, value = change.split("=")
    until(lambda: settings_of(kafka, topic)[topic][name] == value, 30, "the changed setting")
    assert [each for each in ensure_topics(own.places, [pipeline]) if each.stops] == []
    assert topic in {note.topic for note in read_notes(own.places.folder.made_topics) if note.how == "adopted"}


def test_topics_of_a_team_that_will_do_stay_as_they_are(own: OwnKafkas) -> None:
    pipeline = pipeline_called("theirs")
    topics = pipeline.events.topic, pipeline.label.topic
    for kafka, stamp in ((own.places.onprem, STAMPED), (own.places.cloud, UNLIMITED)):
        for topic in topics:
            make_topic(kafka, topic, {"segment.bytes": "2000000"} | FOR_EVER | stamp, 3)
    before = [settings_of(kafka, *topics) for kafka in (own.places.onprem, own.places.cloud)]
    assert ensure_topics(own.places, [pipeline]) == []
    assert [settings_of(kafka, *topics) for kafka in (own.places.onprem, own.places.cloud)] == before
    assert made_in(own).isdisjoint(topics)
    assert pipeline.predictions_topic in made_in(own)


def test_what_is_only_worse_is_told_with_its_command_and_left(own: OwnKafkas) -> None:
    pipeline = pipeline_called("worse")
    topic = pipeline.events.topic
    make_topic(own.places.onprem, topic, {"retention.ms": "60000"} | STAMPED, 1)
    make_topic(own.places.cloud, topic, {"message.timestamp.after.max.ms": "3600000"} | FOR_EVER, 1)
    before = [settings_of(kafka, topic) for kafka in (own.places.onprem, own.places.cloud)]
    told = "\n".join(map(str, ensure_topics(own.places, [pipeline])))
    for expected in (
        "retention.ms is 60000",
        "it has 1 partition: Spark reads it in one task",
        f"kafka-topics.sh --bootstrap-server {own.places.onprem.bootstrap} --alter --topic {topic} --partitions 2",
        "message.timestamp.after.max.ms is 3600000",
    ):
        assert expected in told
    assert [settings_of(kafka, topic) for kafka in (own.places.onprem, own.places.cloud)] == before
    adopt_topics(own.places, check_topics(own.places, [pipeline]))
    until(lambda: settings_of(own.places.cloud, topic)[topic]["partitions"] == "2", 30, "two partitions")
    assert check_topics(own.places, [pipeline]) == []


def test_a_cloud_topic_is_made_as_wide_as_the_teams_and_one_that_is_narrower_is_refused(own: OwnKafkas) -> None:
    pipeline = pipeline_called("wide")
    make_topic(own.places.onprem, pipeline.events.topic, STAMPED, 5)
    make_topic(own.places.onprem, pipeline.label.topic, STAMPED, 5)
    make_topic(own.places.cloud, pipeline.label.topic, UNLIMITED, 3)
    with pytest.raises(TopicsRefused, match="3 partitions, 5 on-prem"):
        ensure_topics(own.places, [pipeline])
    adopt_topics(own.places, check_topics(own.places, [pipeline]))
    ensure_topics(own.places, [pipeline])
    found = settings_of(own.places.cloud, pipeline.events.topic, pipeline.label.topic)
    assert {each["partitions"] for each in found.values()} == {"5"}


def test_a_topic_that_was_made_again_by_somebody_else_is_theirs(own: OwnKafkas) -> None:
    pipeline = pipeline_called("again")
    topic, kafka = pipeline.events.topic, own.places.onprem
    ensure_topics(own.places, [pipeline])
    delete_topic(kafka, topic)
    make_topic(kafka, topic, FOR_EVER | STAMPED)
    ensure_topics(own.places, [pipeline])
    assert settings_of(kafka, topic)[topic]["retention.ms"] == "-1"


def test_rights_that_lack_are_told_with_the_command_that_gives_them(own: OwnKafkas) -> None:
    pipeline, kafka = pipeline_called("rights"), own.places.onprem
    events, label = pipeline.events.topic, pipeline.label.topic
    for topic in (events, label):
        make_topic(kafka, topic, STAMPED)
    allow_alone(kafka, events, "ANONYMOUS", AclOperation.READ)
    allow_alone(kafka, label, "somebody", AclOperation.READ)

    def told() -> dict[str, Difference]:
        return {each.topic: each for each in check_topics(own.places, [pipeline])}

    until(lambda: told().keys() == {events, label}, 30, "the broker to heed the rights")
    found = told()
    assert not found[events].stops
    assert "the login lacks the right DescribeConfigs" in str(found[events])
    add = f"kafka-acls.sh --bootstrap-server {kafka.bootstrap} --add --allow-principal User:NAME"
    assert f"{add} --operation DescribeConfigs --topic {events}" in str(found[events])
    assert found[label].stops
    assert f"{add} --operation Read --operation Write --operation DescribeConfigs --topic {label}" in str(found[label])


def test_a_kafka_that_does_not_answer_stops_nothing(own: OwnKafkas, tmp_path: Path) -> None:
    """Serving starts from local state: `topics` looks again."""
    away = OwnKafkas({**own.env, "HOTPATH_CLOUD_KAFKA": "127.0.0.1:1"})
    (told,) = [each for each in check_topics(away.places, [pipeline_called("away")]) if "not checked" in each.text]
    assert not told.stops
    assert "127.0.0.1:1" in str(told)


def test_up_is_refused_before_anything_is_started_and_adopts_when_asked(own: OwnKafkas) -> None:
    pipeline = pipeline_called("refused")
    files = [(MINIMAL, pipeline)]
    make_topic(own.places.onprem, pipeline.events.topic, FOR_EVER)
    make_topic(own.places.onprem, pipeline.label.topic, {"retention.ms": "60000"} | STAMPED)
    with pytest.raises(Unfit) as refused:
        check_team_topics(own.settings, files, adopt=False)
    assert "message.timestamp.type=LogAppendTime" in str(refused.value)
    assert "hotpath up --adopt-topics" in str(refused.value)
    assert pipeline.label.topic not in str(refused.value), "what is only worse is told when `up` goes on"
    changed = check_team_topics(own.settings, files, adopt=True)
    assert len([line for line in changed if line.startswith("changed: ")]) == 2
    until(lambda: check_team_topics(own.settings, files, adopt=False) == [], 30, "topics as they are needed")
