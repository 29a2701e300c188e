"""A scorer refuses exactly the bodies that would be dead letters on Kafka, whatever the bytes are."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming._native import Transform
from tests.serving.scoring_host import QUESTION, Scorer, ScoringHost

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(["id", "machine", "at", "colour", "size", "count", "fresh", "operator", "other"])
MOMENTS = st.sampled_from(["2026-11-21T08:00:00Z", "2026-11-21T08:00:00", 1_700_000_000_000, -1, 1 << 62, "9999-12-31"])
OBJECTS = st.dictionaries(NAMES, SCALARS | MOMENTS | st.lists(SCALARS, max_size=2))
QUESTIONS = OBJECTS.map(lambda fields: QUESTION | fields)
BODIES = st.one_of(
    st.binary(max_size=60),
    SCALARS.map(lambda value: json.dumps(value).encode()),
    OBJECTS.map(lambda value: json.dumps(value).encode()),
    QUESTIONS.map(lambda value: json.dumps(value).encode()),
    QUESTIONS.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.tuples(QUESTIONS, st.integers(0, 80), st.binary(max_size=2)).map(
        lambda cut: json.dumps(cut[0]).encode()[: cut[1]] + cut[2]
    ),
)


@pytest.fixture(scope="module")
def host() -> Iterator[ScoringHost]:
    host = ScoringHost()
    try:
        yield host
    finally:
        host.close()


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
