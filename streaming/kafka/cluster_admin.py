"""Reading and changing the topics of one Kafka cluster, with errors in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from contract.layout import Kafka
from streaming.kafka.pipeline_topics import Settings, Topic

TIMEOUT_S: Final = 30.0
NOT_ALLOWED: Final = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
_AWAY: Final = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)


class TopicsRefused(RuntimeError):
    """A broker does not let the topics be prepared; the message names the broker, and what it answered."""


class KafkaAway(TopicsRefused):
    """No broker answers, or the login is refused: nothing is known of the topics."""


@dataclass(frozen=True)
class Found:
    """A topic as it is. What the login may not read is None."""

    topic_id: str | None
    partitions: int | None
    settings: Settings | None


class ClusterAdmin:
    """The administrator's view of one cluster.

    Every method raises `KafkaAway` when the cluster does not answer, and `TopicsRefused` when it refuses.
    """

    def __init__(self, kafka: Kafka, timeout_s: float = TIMEOUT_S) -> None:
        self.kafka = kafka
        self._timeout_s = timeout_s
        self._said: list[KafkaError] = []
        client: dict[str, Any] = kafka.client(socket_timeout_ms=10_000)
        self._admin = AdminClient(client | {"error_cb": self._said.append, "log_level": 0})

    def cluster_id(self) -> str:
        answer = self._answers({"": self._admin.describe_cluster(request_timeout=self._timeout_s)})[""]
        if isinstance(answer, KafkaError):
            raise self._refused(answer)
        return str(answer.cluster_id)

    def find(self, names: Iterable[str]) -> dict[str, Found]:
        """Those of these topics that exist, or that the login is not allowed to see."""
        described = self._described(names)
        there = [name for name, answer in described.items() if _code(answer) != KafkaError.UNKNOWN_TOPIC_OR_PART]
        settings = self._settings(there)
        return {name: self._found(described[name], settings[name]) for name in there}

    def topic_ids(self, names: Iterable[str]) -> dict[str, str]:
        """The ids of those of these topics that the login sees."""
        described = self._described(names)
        return {name: str(each.topic_id) for name, each in described.items() if not isinstance(each, KafkaError)}

    def create(self, topics: Iterable[Topic], *, only_try: bool = False) -> dict[str, KafkaError | None]:
        """Create topics, with as many replicas as the broker's default; what each was refused for."""
        new = [NewTopic(topic.name, num_partitions=topic.partitions, config=dict(topic.settings)) for topic in topics]
        if not new:
            return {}
        futures = self._admin.create_topics(new, request_timeout=self._timeout_s, validate_only=only_try)
        answers = self._answers(futures)
        return {name: answer if isinstance(answer, KafkaError) else None for name, answer in answers.items()}

    def delete(self, names: Collection[str]) -> None:
        """Delete topics; one that has gone meanwhile is as it should be."""
        if not names:
            return
        for name, answer in self._answers(self._admin.delete_topics([*names], request_timeout=self._timeout_s)).items():
            if isinstance(answer, KafkaError) and answer.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise self._refused(answer, name)

    def set_settings(self, wanted: Mapping[str, Settings]) -> None:
        """Set these settings of these topics; others stay as they are."""
        changes = [_changes(name, settings) for name, settings in wanted.items() if settings]
        if changes:
            self._demand(self._admin.incremental_alter_configs(changes, request_timeout=self._timeout_s))

    def set_partitions(self, wanted: Mapping[str, int]) -> None:
        """Raise the numbers of partitions of these topics."""
        new = [NewPartitions(name, number) for name, number in wanted.items()]
        if new:
            self._demand(self._admin.create_partitions(new, request_timeout=self._timeout_s))

    def _described(self, names: Iterable[str]) -> dict[str, Any]:
        asked = TopicCollection(list(names))
        return self._answers(self._admin.describe_topics(asked, request_timeout=self._timeout_s))

    def _settings(self, names: Collection[str]) -> dict[str, Any]:
        if not names:
            return {}
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        answers = self._answers(self._admin.describe_configs(asked, request_timeout=self._timeout_s))
        return {resource.name: answer for resource, answer in answers.items()}

    def _found(self, description: Any, settings: Any) -> Found:
        for answer in (description, settings):
            if isinstance(answer, KafkaError) and answer.code() not in NOT_ALLOWED:
                raise self._refused(answer)
        entries = None if isinstance(settings, KafkaError) else {name: e.value for name, e in settings.items()}
        if isinstance(description, KafkaError):
            return Found(None, None, entries)
        return Found(str(description.topic_id), len(description.partitions), entries)

    def _demand(self, futures: Mapping[Any, Future[Any]]) -> None:
        for asked, answer in self._answers(futures).items():
            if isinstance(answer, KafkaError):
                raise self._refused(answer, getattr(asked, "name", asked))

    def _answers(self, futures: Mapping[Any, Future[Any]]) -> dict[Any, Any]:
        """Each answer, or the error that it was.

        A refused login ends the wait: the client would try it again until the time is over.
        """
        while not all(future.done() for future in futures.values()):
            self._admin.poll(0.1)
            refused = next((error for error in self._said if error.code() == KafkaError._AUTHENTICATION), None)
            if refused is not None:
                raise self._refused(refused)
        answers = {asked: _outcome(future.result) for asked, future in futures.items()}
        for answer in answers.values():
            if _code(answer) in _AWAY:
                raise self._refused(answer)
        return answers

    def _refused(self, error: KafkaError, topic: object = "") -> TopicsRefused:
        self._admin.poll(0)  # why it timed out: a login that is refused, a certificate that is not trusted
        why = "; ".join(dict.fromkeys(each.str() for each in [error, *self._said]))
        kind = KafkaAway if error.code() in (*_AWAY, KafkaError._AUTHENTICATION) else TopicsRefused
        which = f"topic {topic}" if topic else "the topics"
        return kind(f"could not prepare {which} at {self.kafka.bootstrap}: {why}")


def _outcome(result: Callable[[], Any]) -> Any:
    try:
        return result()
    except KafkaException as error:
        return error.args[0]


def _code(answer: Any) -> int | None:
    return answer.code() if isinstance(answer, KafkaError) else None


def _changes(name: str, settings: Settings) -> ConfigResource:
    set_to = AlterConfigOpType.SET
    entries = [ConfigEntry(key, value, incremental_operation=set_to) for key, value in settings.items()]
    return ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
