"""A scorer refuses exactly the bodies that would be dead letters on Kafka, whatever the bytes are."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings

from streaming._native import Transform
from tests.serving.bodies import BODIES
from tests.serving.scoring_host import Scorer, ScoringHost


@pytest.fixture(scope="module")
def host() -> Iterator[ScoringHost]:
    with ScoringHost() as host:
        yield host


@pytest.fixture(scope="module")
def scorer(host: ScoringHost) -> Iterator[Scorer]:
    scorer = host.answering(host.launch("any"))
    yield scorer
    scorer.close()


def test_any_bytes_are_refused_exactly_where_kafka_has_a_dead_letter(host: ScoringHost, scorer: Scorer) -> None:
    transform = Transform(host.spec)

    @settings(max_examples=250, deadline=None)
    @given(BODIES)
    def holds(body: bytes) -> None:
        batch = pa.record_batch({"value": pa.array([body], pa.binary())})
        reason = pa.record_batch(transform.decode_events(batch)).column("reason")[0].as_py()
        answer = scorer.ask(body)  # `ask` holds it to its schema: never a 500
        assert answer.status_code == {None: 200, "not_json": 400}.get(reason, 422)
        assert reason is None or reason in {fault["code"] for fault in answer.json()["errors"]}

    holds()
