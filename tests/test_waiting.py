"""A test's wait: an engine that is not back yet ends none, an engine that refuses ends it at once."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from tests.waiting import until

PASSING = [KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._TRANSPORT]


def test_errors_that_pass_by_themselves_are_not_yet() -> None:
    errors = [KafkaException(KafkaError(code)) for code in PASSING]

    def condition() -> str:
        if errors:
            raise errors.pop()
        return "there"

    assert until(condition, 10, "the broker", every_s=0) == "there"


def test_an_error_that_stays_is_named_when_the_time_is_over() -> None:
    def condition() -> str:
        raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))

    with pytest.raises(TimeoutError, match=r"the leader: .*LEADER_NOT_AVAILABLE"):
        until(condition, 0, "the leader", every_s=0)


def test_a_refusal_ends_the_wait() -> None:
    def condition() -> str:
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    with pytest.raises(KafkaException):
        until(condition, 10, "never")
