"""`hotpath imports` against a broker: what is open is listed, and what a sender has forgotten can be ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka import Producer

from contract.messages.codec import encode
from contract.messages.imports import ImportNotice
from contract.topics import IMPORTS_TOPIC
from infra.cli import main

NOTICES = [
    ImportNotice(topic="asked", open=True, by="replay"),
    ImportNotice(topic="arrived", open=True),
    ImportNotice(topic="departed", open=True),
    ImportNotice(topic="departed", open=False),
]


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Producer:
    """A producer that runs a broker inside, for this process's other clients, too."""
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": "1"})
    (address,) = producer.list_topics(timeout=10).brokers.values()
    monkeypatch.setenv("HOTPATH_DATA", str(tmp_path))
    monkeypatch.setenv("HOTPATH_ONPREM_KAFKA", f"{address.host}:{address.port}")
    for notice in NOTICES:
        producer.produce(IMPORTS_TOPIC, encode(notice), notice.key)
    producer.produce(IMPORTS_TOPIC, b"{", b"damaged")
    assert producer.flush(30) == 0
    return producer


def test_open_imports_are_listed_each_with_the_age_of_its_last_record(
    broker: Producer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imports", "list"]) == 0
    arrived, asked = capsys.readouterr().out.splitlines()
    assert arrived.startswith("arrived  opened by somebody; the last record that says so is ")
    assert asked.startswith("asked  opened by replay; the last record that says so is ")
    assert main(["imports", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["topic"], each["by"]) for each in told] == [("arrived", ""), ("asked", "replay")]
    assert all(0 <= each["age_s"] < 300 for each in told)


def test_an_import_that_is_ended_is_open_no_longer(broker: Producer, capsys: pytest.CaptureFixture[str]) -> None:
    for topic in ("asked", "arrived"):
        assert main(["imports", "end", topic]) == 0
        assert f"the import into {topic} is ended" in capsys.readouterr().out
    assert main(["imports", "list"]) == 0
    assert capsys.readouterr().out == "no import is open\n"


def test_a_topic_without_an_open_import_is_refused(broker: Producer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", "end", "departed"]) == 1
    assert "no import into departed is open; open are: arrived, asked" in capsys.readouterr().err


def test_a_broker_that_does_not_answer_is_named(
    broker: Producer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTPATH_ONPREM_KAFKA", "127.0.0.1:1")
    assert main(["imports", "list"]) == 1
    assert "hotpath.imports at 127.0.0.1:1 cannot be read" in capsys.readouterr().err
