"""What is told of topics that are not ours, without a broker: the rules, and a Kafka that is too old."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from contract.layout import Kafka
from streaming.kafka.cluster_admin import Found
from streaming.kafka.pipeline_topics import FURTHEST_MS, cloud_topics, onprem_topics
from streaming.kafka.topic_check import Difference, Side, differences
from streaming.kafka.topic_rules import SideName
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)
EVENTS = PIPELINE.events.topic
ONPREM = {topic.name: topic for topic in onprem_topics(PIPELINE)}
CLOUD = {topic.name: topic for topic in cloud_topics(PIPELINE)}
WELL = {"onprem": dict(ONPREM[EVENTS].settings), "cloud": dict(CLOUD[EVENTS].settings)}


def told(side: SideName, partitions: int = 2, login: bool = False, **changed: str) -> list[Difference]:
    """What is told of the events' topic of this side, with these settings; `_` stands for `.`."""
    settings = WELL[side] | {name.replace("_", "."): value for name, value in changed.items()}
    found = {EVENTS: Found("an id", partitions, settings)}
    secured = {"sasl.username": "ann"} if login else {}
    sides = [
        Side("onprem", Kafka("here:9092", secured), ONPREM, found if side == "onprem" else {}),
        Side("cloud", Kafka("there:9092", secured), CLOUD, found if side == "cloud" else {}),
    ]
    return differences(*sides)


def test_nothing_is_told_of_a_topic_that_is_as_hotpath_would_make_it() -> None:
    assert told("onprem") == told("cloud") == []


def test_nor_of_one_that_keeps_records_longer_or_has_more_partitions() -> None:
    assert told("onprem", partitions=2, retention_ms="-1", segment_ms="5", max_message_bytes="1000000") == []
    assert told("cloud", partitions=9, retention_ms="999999999999", max_message_bytes="99999999") == []


def test_every_broker_older_than_3_6_is_refused_in_one_sentence_a_side() -> None:
    older = {name: value for name, value in WELL["onprem"].items() if "after.max" not in name and "before" not in name}
    found = {EVENTS: Found("an id", 2, older)}
    unknown = KafkaError(KafkaError.INVALID_CONFIG, "Unknown topic config name: message.timestamp.before.max.ms")
    onprem = Side("onprem", Kafka("here:9092", {}), ONPREM, found)
    cloud = Side("cloud", Kafka("there:9092", {}), CLOUD, refused={EVENTS: unknown})
    said = differences(onprem, cloud)
    assert [(each.side, each.stops) for each in said] == [("onprem", True), ("cloud", True)]
    assert all("older than 3.6" in each.text for each in said)


@pytest.mark.parametrize("error", [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.POLICY_VIOLATION])
def test_a_topic_that_may_not_be_made_stops_with_the_command_that_makes_it(error: int) -> None:
    side = Side("onprem", Kafka("here:9092", {}), ONPREM, refused={EVENTS: KafkaError(error, "no")})
    (said,) = differences(side, Side("cloud", Kafka("there:9092", {}), CLOUD))
    assert said.stops
    assert f"kafka-topics.sh --bootstrap-server here:9092 --create --topic {EVENTS} --partitions 2 --config" in str(
        said
    )


def test_what_stops_comes_first_and_a_login_is_named_in_the_command() -> None:
    said = told("onprem", 1, login=True, retention_ms="1000", message_timestamp_type="CreateTime")
    assert [each.stops for each in said] == [True, False, False]
    assert "--bootstrap-server here:9092 --command-config client.properties --alter" in str(said[0])


def test_a_limit_to_stamps_in_the_cloud_is_told_unless_retention_makes_up_for_it() -> None:
    kept = WELL["cloud"]["retention.ms"]
    assert told("cloud", message_timestamp_before_max_ms=kept) == []
    (behind,) = told("cloud", message_timestamp_before_max_ms=str(int(kept) - 1))
    (ahead,) = told("cloud", message_timestamp_after_max_ms="3600000")
    assert [list(each.settings.values()) for each in (behind, ahead)] == [[FURTHEST_MS], [FURTHEST_MS]]
    assert not behind.stops
    assert not ahead.stops
