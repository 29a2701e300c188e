"""Making the topics of pipelines at both brokers, and setting those that are hotpath's own.

A topic is hotpath's own where `up` started the broker, or where it noted that it made the topic. Any other topic is
only compared with what hotpath needs. `adopt_topics` alone changes it, when a person has asked for that.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from confluent_kafka import KafkaError

from contract.layout import Kafka, Places
from contract.pipeline import Pipeline
from streaming.kafka.cluster_admin import TIMEOUT_S, ClusterAdmin, KafkaAway, TopicsRefused
from streaming.kafka.pipeline_topics import Topic, cloud_topics, onprem_topics
from streaming.kafka.topic_check import Difference, Side, away, differences
from streaming.kafka.topic_notes import add_notes, made_ids
from streaming.kafka.topic_rules import SideName

Started = Collection[SideName]
"""The sides whose brokers `up` itself starts."""
CHECK_TIMEOUT_S = 10.0


def ensure_topics(places: Places, pipelines: Sequence[Pipeline], started: Started = ()) -> list[Difference]:
    """Make the topics that lack, set those that are ours, and return what is worse than it could be at the others.

    Run before the mirror sees a topic: it would create the cloud's with other settings.

    Raises:
        TopicsRefused: a broker refuses, or a topic that is not ours cannot be used as it is; then nothing is changed.
    """
    admins = [ClusterAdmin(kafka) for kafka in (places.onprem, places.cloud)]
    onprem, cloud = (
        _look(admin, side, places, side.name in started)
        for admin, side in zip(admins, _wanted(places, pipelines), strict=True)
    )
    found = differences(onprem, cloud)
    if stopping := [str(each) for each in found if each.stops]:
        raise TopicsRefused("\n".join(stopping))
    for admin, side in zip(admins, (onprem, cloud), strict=True):
        admin.set_settings({name: side.wanted[name].settings for name in side.ours})
        notes = None if side.name in started else places.folder.made_topics
        _make(admin, _as_wide(side.missing(), onprem), notes)
    return found


def check_topics(places: Places, pipelines: Sequence[Pipeline], started: Started = ()) -> list[Difference]:
    """What differs at topics that are not ours, and Kafkas that do not answer. Changes nothing.

    A side whose broker `up` is about to start is taken as it will be.

    Raises:
        TopicsRefused: a broker refuses to tell.
    """
    unseen: list[Difference] = []
    sides = []
    for side in _wanted(places, pipelines):
        try:
            admin = None if side.name in started else ClusterAdmin(side.kafka, CHECK_TIMEOUT_S)
            sides.append(_look(admin, side, places, False) if admin else side)
        except KafkaAway as error:
            unseen.append(away(side, error))
            sides.append(side)
    return [*differences(*sides), *unseen]


def adopt_topics(places: Places, found: Iterable[Difference]) -> list[Difference]:
    """Change what differs at topics that are not ours, note them as adopted, and return what was changed.

    Raises:
        TopicsRefused: a broker refuses.
    """
    mending = [each for each in found if each.settings or each.partitions]
    for side, kafka in (("onprem", places.onprem), ("cloud", places.cloud)):
        if changes := [each for each in mending if each.side == side]:
            _adopt(ClusterAdmin(kafka), changes, places.folder.made_topics)
    return mending


def make_topics(kafka: Kafka, topics: Sequence[Topic]) -> None:
    """Make those of these topics that lack, in a cluster of which nothing is noted."""
    _make(ClusterAdmin(kafka), topics, None)


def _wanted(places: Places, pipelines: Sequence[Pipeline]) -> tuple[Side, Side]:
    onprem = {topic.name: topic for topic in onprem_topics(*pipelines)}
    cloud = {topic.name: topic for topic in cloud_topics(*pipelines)}
    return Side("onprem", places.onprem, onprem), Side("cloud", places.cloud, cloud)


def _look(admin: ClusterAdmin, side: Side, places: Places, started: bool) -> Side:
    """The side with what exists there. Where the broker is not ours it is asked whether it lets us make what lacks."""
    found = admin.find(side.wanted)
    if started:
        return replace(side, found=found, ours=frozenset(found))
    made = made_ids(places.folder.made_topics, admin.cluster_id())
    ours = frozenset(name for name, topic in found.items() if topic.topic_id in made)
    seen = replace(side, found=found, ours=ours)
    tried = admin.create(seen.missing(), only_try=True)
    return replace(seen, refused={name: error for name, error in tried.items() if error})


def _as_wide(topics: Iterable[Topic], onprem: Side) -> list[Topic]:
    """With at least as many partitions as the on-prem topic: the mirror keeps a record's partition."""
    return [replace(topic, partitions=max(topic.partitions, onprem.partitions(topic.name))) for topic in topics]


def _make(admin: ClusterAdmin, topics: Sequence[Topic], notes: Path | None) -> None:
    """Make them, and note those that were made, also when another is refused."""
    answers = admin.create(topics)
    if notes:
        _note(admin, notes, [name for name, error in answers.items() if error is None])
    for name, error in answers.items():
        if error and error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise TopicsRefused(f"could not make topic {name} at {admin.kafka.bootstrap}: {error.str()}")


def _note(admin: ClusterAdmin, notes: Path, made: Collection[str]) -> None:
    """Note them by the ids that the broker has given them, which it may tell a moment later."""
    if not made:
        return
    deadline = time.monotonic() + TIMEOUT_S
    while len(found := admin.topic_ids(made)) < len(made) and time.monotonic() < deadline:
        time.sleep(0.1)
    add_notes(notes, admin.cluster_id(), found.items(), "made")


def _adopt(admin: ClusterAdmin, changes: Sequence[Difference], notes: Path) -> None:
    settings: dict[str, dict[str, str]] = {}
    for each in changes:
        settings.setdefault(each.topic, {}).update(each.settings)
    admin.set_settings(settings)
    admin.set_partitions({each.topic: each.partitions for each in changes if each.partitions})
    add_notes(notes, admin.cluster_id(), admin.topic_ids(settings).items(), "adopted")
