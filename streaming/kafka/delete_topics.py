"""Which topics hotpath may delete, and their deletion: only those that are its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract.layout import Kafka, Places
from streaming.kafka.cluster_admin import ClusterAdmin
from streaming.kafka.topic_notes import made_ids
from streaming.kafka.topic_rules import SideName


@dataclass(frozen=True)
class OwnTopics:
    """Topics of one Kafka that hotpath made."""

    side: SideName
    kafka: Kafka
    names: tuple[str, ...]
    others: tuple[str, ...] = ()
    """Those that were asked for, exist, and are somebody else's: they stay."""

    def delete(self) -> None:
        """Delete them.

        Raises:
            TopicsRefused: the cluster refuses, or does not answer.
        """
        ClusterAdmin(self.kafka).delete(self.names)


def own_topics(places: Places, side: SideName, started: bool, names: Sequence[str]) -> OwnTopics:
    """Those of these topics that exist and are hotpath's own.

    At a broker that `up` starts every topic is its own; at any other those that it noted when it made them, by their
    ids: a topic that somebody else made again under the same name stays.

    Raises:
        TopicsRefused: the cluster does not answer.
        NotesUnreadable: it is not known what hotpath made.
    """
    kafka = places.onprem if side == "onprem" else places.cloud
    if not names:
        return OwnTopics(side, kafka, ())
    admin = ClusterAdmin(kafka)
    found = admin.find(names)
    made = None if started else made_ids(places.folder.made_topics, admin.cluster_id())
    ours = {name for name, each in found.items() if made is None or each.topic_id in made}
    return OwnTopics(side, kafka, tuple(sorted(ours)), tuple(sorted(found.keys() - ours)))
