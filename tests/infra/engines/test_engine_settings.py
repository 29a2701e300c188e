"""The rendered configuration of engines: every setting of the environment reaches them, for our eyes only."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from contract import variables
from contract.layout import Places
from infra.engines import h2o_node, hdfs_daemons, java, kafka_broker, mirror_maker
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.part_environment import environment, is_local

KEY = "-----BEGIN PRIVATE KEY-----\nAbc+/=\n-----END PRIVATE KEY-----\n"
CERTIFICATE = KEY.replace("PRIVATE KEY", "CERTIFICATE")
CA = "/etc/ca.pem"


def read_properties(path: Path) -> dict[str, str]:
    """As Java reads the lines that we write."""
    lines = [line.partition("=") for line in path.read_text(encoding="ascii").splitlines()]
    return {name: json.loads(f'"{value}"') for name, _, value in lines}


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    """The mirror's configuration between a plain broker and one with TLS, a login and a client's certificate."""
    (tmp_path / "key.pem").write_text(KEY)
    (tmp_path / "certificate.pem").write_text(CERTIFICATE)
    env = {
        "HOTPATH_DATA": str(tmp_path),
        "HOTPATH_ONPREM_KAFKA": "here:9092",
        "HOTPATH_CLOUD_KAFKA": "there:9093",
        "HOTPATH_CLOUD_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "HOTPATH_CLOUD_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "HOTPATH_CLOUD_KAFKA_SASL_USERNAME": "ann",
        "HOTPATH_CLOUD_KAFKA_SASL_PASSWORD": 'é\\"x',
        "HOTPATH_CLOUD_KAFKA_SSL_CA": CA,
        "HOTPATH_CLOUD_KAFKA_SSL_CERTIFICATE": str(tmp_path / "certificate.pem"),
        "HOTPATH_CLOUD_KAFKA_SSL_KEY": str(tmp_path / "key.pem"),
        "HOTPATH_CLOUD_KAFKA_SSL_KEY_PASSWORD": "opensesame",
    }
    settings, ports = Settings.from_environment(env), Ports(17000, tmp_path / "ports.json")
    places, topics = Places.from_environment(env), ["p.asked", "p.arrived"]
    assert mirror_maker.render(settings, ports, places, topics)
    assert not mirror_maker.render(settings, ports, places, topics), "unchanged: the mirror need not start again"
    other = Places.from_environment(env | {"HOTPATH_CLOUD_KAFKA_SSL_KEY_PASSWORD": "other"})
    assert mirror_maker.render(settings, ports, other, topics), "a changed secret is a change"
    assert mirror_maker.render(settings, ports, places, topics)
    return settings.conf / "mirror.properties"


def test_no_engine_unpacks_its_libraries_outside_the_data_folder(tmp_path: Path) -> None:
    env = os.environ | {"HOTPATH_DATA": str(tmp_path)}
    settings, ports = Settings.from_environment(env), Ports(17000, tmp_path / "ports.json")
    places = Places.from_environment({"HOTPATH_ONPREM_KAFKA": "here:9092", "HOTPATH_CLOUD_KAFKA": "there:9093"})
    parts = [
        kafka_broker.broker(settings, ports, "onprem"),
        kafka_broker.broker(settings, ports, "cloud"),
        mirror_maker.mirror(settings, ports, places, after=()),
        hdfs_daemons.namenode(settings, ports),
        hdfs_daemons.datanode(settings, ports),
        hdfs_daemons.secondarynamenode(settings, ports, after=()),
        h2o_node.h2o(settings, ports),
    ]
    for part in parts:
        assert f"-Djava.io.tmpdir={tmp_path}/run/tmp/{part.name}" in part.command


def test_the_mirror_has_every_setting_of_both_brokers(rendered: Path) -> None:
    found = read_properties(rendered)
    cloud = {name.removeprefix("cloud."): value for name, value in found.items() if name.startswith("cloud.s")}
    assert found["onprem.bootstrap.servers"] == "here:9092"
    assert found["cloud.bootstrap.servers"] == "there:9093"
    assert (cloud["security.protocol"], cloud["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (cloud["ssl.truststore.type"], cloud["ssl.truststore.location"]) == ("PEM", CA)
    assert (cloud["ssl.keystore.type"], cloud["ssl.keystore.certificate.chain"]) == ("PEM", CERTIFICATE)
    assert not [name for name in found if name.startswith(("onprem.ssl", "onprem.sasl"))]


def test_the_mirror_has_its_secrets_by_their_places_alone(rendered: Path) -> None:
    """What it is told it keeps in a topic, where others may read it."""
    found, file = read_properties(rendered), rendered.with_name("mirror.secrets.properties")
    secrets = read_properties(file)
    assert (secrets["cloud.ssl.keystore.key"], secrets["cloud.ssl.key.password"]) == (KEY, "opensesame")
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    assert secrets["cloud.sasl.jaas.config"].startswith(login)
    assert {name: found[name] for name in secrets} == {name: f"${{file:{file}:{name}}}" for name in secrets}
    assert found["config.providers.file.param.allowed.paths"] == str(file)
    text = rendered.read_text()
    assert not [secret for secret in ("opensesame", "PRIVATE KEY", "ann") if secret in text]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_mirrors_own_topics_have_as_many_replicas_as_the_broker_gives_by_default(rendered: Path) -> None:
    factors = {name: value for name, value in read_properties(rendered).items() if name.endswith("replication.factor")}
    assert len(factors) == 7
    assert set(factors.values()) == {"-1"}


def test_topics_are_matched_by_their_names_alone(rendered: Path) -> None:
    assert read_properties(rendered)["onprem->cloud.topics"] == r"p\.arrived,p\.asked"


def test_nobody_else_can_read_a_rendered_file(rendered: Path) -> None:
    assert stat.S_IMODE(rendered.stat().st_mode) == 0o600
    rendered.chmod(0o644)  # as an earlier version left it
    java.write(rendered, rendered.read_text())
    assert stat.S_IMODE(rendered.stat().st_mode) == 0o600


def test_the_mirror_takes_its_tasks_up_again_at_once_after_the_cloud_was_away(rendered: Path) -> None:
    assert read_properties(rendered)["cloud.scheduled.rebalance.max.delay.ms"] == "0"


def test_engines_listen_where_they_are_told_and_tell_clients_the_advertised_name(tmp_path: Path) -> None:
    env = {"HOTPATH_DATA": str(tmp_path), "HOTPATH_BIND": "0.0.0.0", "HOTPATH_ADVERTISE": "box.example.org"}
    settings = Settings.from_environment(env)
    ports = Ports.of(settings)
    kafka = kafka_broker.configuration(settings, ports, "cloud")
    assert kafka["listeners"] == "PLAINTEXT://0.0.0.0:17002,CONTROLLER://0.0.0.0:17003"
    assert kafka["advertised.listeners"] == "PLAINTEXT://box.example.org:17002"
    assert kafka["controller.quorum.voters"] == "1@box.example.org:17003"
    hdfs = hdfs_daemons.hdfs_site(settings, ports)
    assert hdfs["dfs.namenode.rpc-address"] == "box.example.org:17005"
    assert hdfs["dfs.namenode.rpc-bind-host"] == hdfs["dfs.namenode.http-bind-host"] == "0.0.0.0"
    assert (hdfs["dfs.datanode.address"], hdfs["dfs.datanode.hostname"]) == ("0.0.0.0:17007", "box.example.org")
    mirror = mirror_maker.configuration(ports, {}, [])
    assert (mirror["listeners"], mirror["rest.advertised.host.name"]) == ("http://0.0.0.0:17004", "box.example.org")
    command = h2o_node.h2o(settings, ports).command
    assert (command[command.index("-web_ip") + 1], command[command.index("-ip") + 1]) == ("0.0.0.0", "box.example.org")
    parts = environment(settings, ports, ["flights"])
    assert (parts["HOTPATH_PAGE"], parts["HOTPATH_SCORER_FLIGHTS"]) == ("0.0.0.0:17013", "0.0.0.0:17020")
    assert parts["HOTPATH_CLOUD_KAFKA"] == "box.example.org:17002"


def test_without_a_name_to_advertise_the_address_to_bind_is_told_or_loopback(tmp_path: Path) -> None:
    told = {
        bind: Settings.from_environment({"HOTPATH_DATA": str(tmp_path), "HOTPATH_BIND": bind}).advertise
        for bind in ("10.0.0.7", "0.0.0.0")
    }
    assert told == {"10.0.0.7": "10.0.0.7", "0.0.0.0": "127.0.0.1"}
    assert Settings.from_environment({"HOTPATH_DATA": str(tmp_path)}).bind == "127.0.0.1"


def test_an_engine_that_a_file_names_is_not_ours_to_start(tmp_path: Path) -> None:
    (tmp_path / "hdfs").write_text("hdfs://name:8020\n")
    settings = Settings.from_environment({"HOTPATH_DATA": str(tmp_path), "HOTPATH_HDFS_FILE": str(tmp_path / "hdfs")})
    assert not is_local(settings, variables.HDFS)
    env = environment(settings, Ports.of(settings), [])
    assert Places.from_environment(env).hdfs == "hdfs://name:8020"
