"""The models' states as the mirror brings them: the last record of each version on `<pipeline>.models`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaException, Message

from contract.layout import Kafka
from contract.messages.codec import Unreadable, decode
from contract.messages.model_states import ModelState
from streaming.kafka.partition_ends import Ends
from streaming.kafka.topic_reader import TopicReader, pass_over
from training.training_errors import TrainingError

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class PublishedStates:
    """What the topic says of each version. Of a version in `unreadable` the state is not known."""

    states: dict[str, ModelState]
    unreadable: frozenset[str] = frozenset()


def published_states(cloud: Kafka, topic: str) -> PublishedStates:
    """Read the compacted topic to its end; one that does not exist yet has no states.

    Raises:
        TrainingError: the cloud broker does not answer.
    """
    reader = TopicReader(cloud, topic)
    try:
        ends = Ends(cloud)
        last = ends.last(ends.partitions([topic]))
        return newest_states(reader.records_up_to({number: end for (_, number), end in last.items()}, TIMEOUT_S))
    except (KafkaException, TimeoutError) as error:
        raise TrainingError(f"{topic}: {error}; does the cloud broker {cloud.bootstrap} answer?") from error
    finally:
        reader.close()


def newest_states(records: Iterable[Message]) -> PublishedStates:
    """The last state of each version. A record that does not read is counted, logged and passed."""
    states: dict[str, ModelState] = {}
    unreadable: set[str] = set()
    for record in records:
        if record.value() is None:
            continue
        key = (record.key() or b"").decode(errors="replace")
        try:
            states[key] = _state(record, key)
            unreadable.discard(key)
        except Unreadable as error:
            pass_over(record, error)
            unreadable.add(key)
    return PublishedStates(states, frozenset(unreadable))


def _state(record: Message, key: str) -> ModelState:
    state = decode(record.value() or b"", ModelState)
    if state.version != key:
        raise Unreadable(f"it is of version {state.version!r}, its key says {key!r}")
    return state
