"""What a prediction leaves behind: a record of the fields that its model reads; of a golden request nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.pipeline import Pipeline
from serving.golden_header import GOLDEN_HEADER
from serving.http import predict
from serving.http.predict import Predictor
from serving.http.request import Request
from serving.prediction.served_model import ServedModel
from streaming.pipeline_file.load import load
from tests.serving.scoring_host import PIPELINE, PREDICT, QUESTION, ScoringHost


class Log:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def log(self, key: str, record: bytes) -> None:
        self.records.append(json.loads(record))


@pytest.fixture(scope="module")
def host() -> Iterator[ScoringHost]:
    with ScoringHost() as host:
        yield host


@pytest.fixture
def grown(tmp_path: Path) -> Pipeline:
    """The host's file with a field that its model's program does not know, as after `up` with a changed file."""
    file = tmp_path / "p.toml"
    file.write_text(PIPELINE.read_text().replace("[events.fields]\n", '[events.fields]\ngate = "int"\n'))
    return load(file)


def request(*headers: tuple[bytes, bytes]) -> Request:
    scope = {"method": "POST", "path": PREDICT, "query_string": b"", "headers": headers, "server": ("/socket", None)}
    return Request(scope)


def predictor(host: ScoringHost, pipeline: Pipeline, log: Log) -> Predictor:
    return Predictor(pipeline, ServedModel(host.bundle, pipeline), log, "green")  # type: ignore[arg-type]


def test_a_model_of_before_a_field_was_added_answers_and_its_records_lack_the_field(
    host: ScoringHost, grown: Pipeline
) -> None:
    log = Log()
    answer = predictor(host, grown, log).predict(json.dumps(QUESTION | {"gate": 3}).encode(), request())
    assert isinstance(answer, dict)
    assert [(warning["code"], warning["field"]) for warning in answer["warnings"]] == [("unknown_field", "gate")]
    assert [record["event"] for record in log.records] == [QUESTION]


def test_a_golden_request_fails_where_its_record_cannot_be_made_and_is_not_logged(
    host: ScoringHost, grown: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    golden, body = request((GOLDEN_HEADER.encode(), b"1")), json.dumps(QUESTION).encode()
    assert isinstance(predictor(host, grown, log).predict(body, golden), dict)
    assert log.records == []

    def broken(*_: object) -> bytes:
        raise KeyError("gate")

    monkeypatch.setattr(predict, "prediction_record", broken)
    with pytest.raises(KeyError):
        predictor(host, grown, log).predict(body, golden)
