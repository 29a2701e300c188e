"""The golden requests: a scorer that does not answer as H2O did gets no address, and the row is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving._native import compile_bundle
from serving.rollout.golden_requests import GOLDEN_ROWS, GoldenError, NotReady, try_golden
from tests.serving.local_candidates import reference_rows
from tests.serving.scoring_host import ScoringHost
from tests.serving.small_model import mojo


@pytest.fixture(scope="module")
def host() -> Iterator[ScoringHost]:
    host = ScoringHost()
    try:
        scorers = [host.launch("full"), host.launch("empty", bundle=False)]
        for scorer in scorers:
            host.answering(scorer)
        yield host
    finally:
        host.close()


def golden(host: ScoringHost, folder: Path, rows: list[dict[str, Any]], scorer: str = "full") -> int:
    file = folder / "reference.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return try_golden(host.sockets / f"{scorer}.sock", "p", file)


def test_a_scorer_that_answers_as_h2o_did_is_asked_every_golden_request(host: ScoringHost, tmp_path: Path) -> None:
    assert golden(host, tmp_path, reference_rows()) == GOLDEN_ROWS


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"probability": 0.123456}, "golden request 7 of .*: probability"),
        ({"positive": None}, "golden request 7 of .*: decision"),
        ({"event": {"id": "q7"}}, "golden request 7 of .*: the scorer says 422"),
    ],
)
def test_a_scorer_that_answers_otherwise_is_refused_and_the_row_named(
    host: ScoringHost, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    rows = reference_rows()
    if "positive" in change:
        change = {"positive": not rows[7]["positive"]}
    rows[7] |= change
    with pytest.raises(GoldenError, match=named):
        golden(host, tmp_path, rows)


def test_where_a_tolerance_decides_by_default_the_probabilities_are_compared(tmp_path: Path) -> None:
    """H2O's label is that of the model's own threshold, of which such an answer says nothing."""
    with ScoringHost() as host:
        host.manifest["scorecard"]["default"] = "careful"
        compile_bundle(mojo(), host.spec, json.dumps(host.manifest), str(host.bundle))
        scorer = host.answering(host.launch("full"))
        assert scorer.ask().json()["tolerance"] == "careful"
        rows = reference_rows()
        assert golden(host, tmp_path, rows) == GOLDEN_ROWS
        rows[7]["probability"] = 0.123456
        with pytest.raises(GoldenError, match=r"golden request 7 of .*: probability"):
            golden(host, tmp_path, rows)


def test_without_a_row_to_ask_nothing_is_proved(host: ScoringHost, tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match="no row with an event"):
        golden(host, tmp_path, [row | {"event": None} for row in reference_rows()])


@pytest.mark.parametrize(("scorer", "why"), [("empty", "empty.sock is not ready: 503"), ("nobody", "does not answer")])
def test_a_scorer_that_is_not_ready_is_not_held_against_its_model(
    host: ScoringHost, tmp_path: Path, scorer: str, why: str
) -> None:
    with pytest.raises(NotReady, match=why):
        golden(host, tmp_path, reference_rows(), scorer)


@pytest.mark.parametrize("content", [b"not json\n", b"[]\n", b'{"event": 1}\n', b"\xff\n", b"[" * 100_000])
def test_damaged_reference_rows_are_held_against_the_model_and_end_no_turn(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "reference.jsonl"
    file.write_bytes(content)
    with pytest.raises(GoldenError, match=r"reference\.jsonl is damaged"):
        try_golden(tmp_path / "nobody.sock", "p", file)
    file.unlink()
    with pytest.raises(GoldenError, match="is not there any more"):
        try_golden(tmp_path / "nobody.sock", "p", file)
