"""Which topics are still the ones that they were: one that was removed and made again has another id.

Its offsets begin anew. Once they have come further than those of the old topic, the id alone tells the two apart.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from contract.layout import Kafka
from streaming.kafka.retriable import is_retriable

TIMEOUT_S: Final = 5.0
_UNSEEN: Final = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)


class TopicIds:
    """Asks one cluster."""

    def __init__(self, kafka: Kafka) -> None:
        self._admin = AdminClient(kafka.client(socket_timeout_ms=10_000))

    def of(self, topics: Collection[str]) -> dict[str, str]:
        """Topic -> id, of those that there are and that the login may see.

        Raises:
            KafkaException: the cluster is away.
        """
        if not topics:
            return {}
        asked = self._admin.describe_topics(TopicCollection([*topics]), request_timeout=TIMEOUT_S)
        found = {name: _id(future) for name, future in asked.items()}
        return {name: topic_id for name, topic_id in found.items() if topic_id is not None}


def _id(answer: Any) -> str | None:
    try:
        return str(answer.result(2 * TIMEOUT_S).topic_id)
    except KafkaException as error:
        (reason,) = error.args
        if reason.code() in _UNSEEN or (is_retriable(reason) and reason.code() != KafkaError._TRANSPORT):
            return None
        raise
