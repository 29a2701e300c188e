"""`hotpath reset` and `remove`: what hotpath made goes, also in engines of a team's own; nothing else does."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from contract.layout import Kafka
from contract.messages.codec import encode
from contract.messages.progress import LossNotice
from contract.topics import PROGRESS_TOPIC
from infra.cli import main
from infra.ports import Ports
from infra.stack.deployments import deploy, deployments
from streaming.kafka.partition_ends import Ends
from streaming.kafka.topic_admin import ensure_topics
from streaming.pipeline_file.load import load
from streaming.progress.mirror_watermark import MIRROR_OFFSETS
from tests.integration.conftest import free_base
from tests.integration.own_kafkas import OwnKafkas, delete_topic, make_topic, names, own_kafkas
from tests.integration.own_streaming import MINIMAL, read
from tests.waiting import until

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnKafkas]:
    with own_kafkas(tmp_path_factory.mktemp("own"), free_base()) as running:
        yield running


@pytest.fixture
def own(brokers: OwnKafkas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnKafkas:
    """The brokers, a folder that stands for the team's HDFS, and two pipelines that share the topic of events."""
    env = {**brokers.env, "HOTPATH_DATA": str(tmp_path / "data"), "HOTPATH_HDFS": f"file://{tmp_path}/hdfs"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    made, prefix = OwnKafkas(env), f"t{next(_NUMBERS)}_"
    for name in (f"{prefix}first", f"{prefix}second"):
        file, text = tmp_path / f"{name}.toml", MINIMAL.read_text().replace("machines", f"{prefix}first")
        file.write_text(text.replace(f'name = "{prefix}first"', f'name = "{name}"'))
        pipeline = load(file)
        deploy(made.settings, Ports.of(made.settings), file, pipeline)
        ensure_topics(made.places, [pipeline])
        (tmp_path / "hdfs" / "hotpath" / name / "tables").mkdir(parents=True)
        (made.settings.folder.of_pipeline(name) / "candidates").mkdir(parents=True)
    made.settings.run.mkdir(parents=True, exist_ok=True)
    return made


_NUMBERS = itertools.count()
"""Tests share the brokers: each has topics of its own."""


def gone(own: OwnKafkas, *topics: str) -> bool:
    return not set(topics) & (names(own.places.onprem) | names(own.places.cloud))


def test_the_reset_of_a_pipeline_leaves_what_is_not_its_own(own: OwnKafkas, tmp_path: Path) -> None:
    first, second = own.settings.deployed_names()
    make_topic(own.places.cloud, "of.the.team", {})
    delete_topic(own.places.cloud, f"{second}.models")
    make_topic(own.places.cloud, f"{second}.models", {})  # of the same name as one that hotpath had made
    shared = deployments(own.settings)[0].pipeline.events.topic
    assert main(["reset", second, "--yes"]) == 0
    until(lambda: gone(own, f"{second}.predictions"), 30, "the end of its topics")
    assert {"of.the.team", f"{second}.models", shared, f"{first}.models"} <= names(own.places.cloud)
    assert {shared, f"{first}.models"} <= names(own.places.onprem)
    assert f"{second}.models" not in names(own.places.onprem)
    assert [each.name for each in (tmp_path / "hdfs" / "hotpath").iterdir()] == [first]
    assert own.settings.deployed_names() == [first]
    assert not own.settings.folder.of_pipeline(second).exists()
    assert f"scorer:{second}" not in Ports.of(own.settings).given()


def test_the_reset_of_everything_reaches_into_the_teams_engines(own: OwnKafkas, tmp_path: Path) -> None:
    first, second = own.settings.deployed_names()
    make_topic(own.places.onprem, "of.another.team", {})
    assert main(["remove", second]) == 0
    assert main(["reset", "--yes"]) == 0
    until(lambda: gone(own, f"{first}.models", f"{second}.models", f"{first}.predictions"), 30, "the topics' end")
    assert "of.another.team" in names(own.places.onprem)
    assert list((tmp_path / "hdfs" / "hotpath").iterdir()) == []
    assert not own.settings.data.exists()


def test_nothing_goes_without_a_yes(
    own: OwnKafkas, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = own.settings.deployed_names()
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert main(["reset", first]) == 1
    told = capsys.readouterr().out
    assert f"{own.places.hdfs}/hotpath/{first}: tables" in told
    assert f"{first}.predictions" in told
    assert "nothing was deleted" in told
    assert f"{first}.models" in names(own.places.cloud)
    assert own.settings.deployed_names() == [first, second]


def test_a_pipeline_that_is_not_there_is_told_with_those_that_are(
    own: OwnKafkas, capsys: pytest.CaptureFixture[str]
) -> None:
    known = ", ".join(own.settings.deployed_names())
    for command in (["reset", "third", "--yes"], ["remove", "third"]):
        assert main(command) == 1
        assert f"there are: {known}" in capsys.readouterr().err


def mirrored(topic: str, number: int) -> bytes:
    """The key of the mirror's record, with blanks where MirrorMaker puts none: it is taken as it is."""
    return json.dumps(["MirrorSourceConnector", {"cluster": "onprem", "partition": number, "topic": topic}]).encode()


def newest(kafka: Kafka, topic: str) -> dict[bytes, bytes | None]:
    """The last value of each key; a key lies in one partition."""
    records = [message for number in range(2) for message in read(kafka, topic, number)]
    places = {(message.key(), message.partition()) for message in records}
    assert len(places) == len({key for key, _ in places})
    return {message.key() or b"": message.value() for message in records}


def test_what_the_mirror_and_the_watcher_keep_of_the_topics_is_forgotten(
    own: OwnKafkas, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = own.settings.deployed_names()
    shared, cloud = deployments(own.settings)[0].pipeline.events.topic, own.places.cloud
    if MIRROR_OFFSETS not in names(cloud):
        make_topic(cloud, MIRROR_OFFSETS, {})
    if PROGRESS_TOPIC not in names(cloud):
        make_topic(cloud, PROGRESS_TOPIC, {})
    mine, others = f"{second}.predictions", f"{first}.predictions"
    losses = [
        LossNotice(
            where="mirror", topic=topic, partition=0, from_offset=1, to_offset=2, count=1, after_ms=None,
            before_ms=1, at_ms=1,
        )
        for topic in (mine, others)
    ]  # fmt: skip
    told = {
        MIRROR_OFFSETS: [(mirrored(topic, 1), b'{"offset": 7}') for topic in (mine, others, shared)],
        PROGRESS_TOPIC: [(f"{topic}/1".encode(), b"{}") for topic in (mine, others, shared)],
    }
    told[MIRROR_OFFSETS].append((b"not json", b"{}"))
    told[PROGRESS_TOPIC] += [(loss.key, encode(loss)) for loss in losses]
    producer = Producer(cloud.client())
    for topic, records in told.items():
        for number, (key, value) in enumerate(records):
            producer.produce(topic, value, key, partition=number % 2 if topic == MIRROR_OFFSETS else 0)
    assert producer.flush(30) == 0
    assert main(["reset", second, "--yes"]) == 0
    assert f"3 records of {PROGRESS_TOPIC} and {MIRROR_OFFSETS} in the cloud Kafka" in capsys.readouterr().out
    gone_now = {mirrored(mine, 1), f"{mine}/1".encode(), losses[0].key}
    for topic, records in told.items():
        found = newest(cloud, topic)
        assert {key: found[key] for key, _ in records} == {k: None if k in gone_now else v for k, v in records}


def test_the_ends_of_all_topics_are_known_again_after_one_was_made_anew(brokers: OwnKafkas) -> None:
    """A client of Kafka's that has known the old one does not answer for any topic from then on."""
    kafka = brokers.places.onprem
    for name in ("ends.anew", "ends.other"):
        make_topic(kafka, name, {}, partitions=1)
    ends, partitions = Ends(kafka), [("ends.anew", 0), ("ends.other", 0)]
    assert ends.last(partitions) == dict.fromkeys(partitions, 0)
    delete_topic(kafka, "ends.anew")
    make_topic(kafka, "ends.anew", {}, partitions=1)
    until(lambda: ends.last(partitions) == dict.fromkeys(partitions, 0), 20, "the ends of both")
