"""Settings, ports and keys: what the launcher reads, chooses and remembers."""

from __future__ import annotations

import json
import os
import socket
import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from contract.environment import Environment, VariableError
from contract.layout import Places
from contract.process_identity import Process
from infra.engines import influxdb
from infra.ports import FIRST_METRICS, FIRST_SCORER, Ports
from infra.settings import Settings
from infra.stack import preflight
from infra.stack.first_key import first_key
from infra.stack.live_scorers import live_scorers
from infra.stack.part_environment import environment
from infra.supervisor.supervisor import end_leftovers
from serving.rollout.scorer_processes import ScorerProcess


def settings(data: Path, **env: str) -> Settings:
    return Settings.from_environment({"HOTPATH_DATA": str(data), **env})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HOTPATH_PORT_BASE", "80"), ("HOTPATH_PORT_BASE", "many"), ("HOTPATH_H2O_MEMORY", "1 GB")],
)
def test_a_malformed_variable_is_refused_by_name(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(VariableError, match=f"{variable}={value}"):
        settings(tmp_path, **{variable: value})


def test_ports_given_once_stay_the_same(tmp_path: Path) -> None:
    file = tmp_path / "run" / "ports.json"
    first = Ports(17000, file)
    given = [first["scorer:flights"], first["scorer:other"], first["metrics:trainer"]]
    again = Ports(17000, file)
    assert [again["scorer:flights"], again["scorer:other"], again["metrics:trainer"]] == given
    assert given == [17000 + FIRST_SCORER, 17000 + FIRST_SCORER + 1, 17000 + FIRST_METRICS]
    assert again["onprem"] == 17000
    moved = Ports(18000, file)
    assert (moved["scorer:other"], moved["onprem"]) == (18000 + FIRST_SCORER, 18000), "another base begins anew"


def test_a_named_engine_keeps_its_address_and_is_not_ours_to_start(tmp_path: Path) -> None:
    own = settings(tmp_path, HOTPATH_CLOUD_KAFKA="broker:9092")
    ports = Ports.of(own)
    env = environment(own, ports, ["flights"])
    assert env["HOTPATH_CLOUD_KAFKA"] == "broker:9092"
    assert env["HOTPATH_ONPREM_KAFKA"] == "127.0.0.1:17000"
    assert env["HOTPATH_SCORER_FLIGHTS"] == ports.address("scorer:flights")


def test_the_token_of_our_influxdb_is_made_by_up_alone_and_named_by_its_file(tmp_path: Path) -> None:
    influxd = tmp_path / "influxd"
    influxd.write_text("#!/bin/sh\necho InfluxDB v2.7.12")
    influxd.chmod(0o755)
    own = settings(tmp_path / "data", HOTPATH_INFLUXD=str(influxd))
    assert not any("INFLUX_" in name for name in environment(own, Ports.of(own), []))
    assert not own.folder.influx_token.exists(), "to describe the environment writes no secret"
    influxdb.make_token(own)
    env = environment(own, Ports.of(own), [])
    assert env["HOTPATH_INFLUX_TOKEN_FILE"] == str(own.folder.influx_token)
    assert influxdb.token(own) not in env.values(), "a process's environment shows no secret of ours"
    influx = Places.from_environment(env).influx
    assert influx is not None
    assert influx.token == influxdb.token(own)
    given = settings(tmp_path / "data", HOTPATH_INFLUXD=str(influxd), HOTPATH_INFLUX_TOKEN="given")
    assert influxdb.token(given) == "given"
    assert "HOTPATH_INFLUX_TOKEN_FILE" not in environment(given, Ports.of(given), [])


def test_a_busy_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        own = settings(tmp_path, HOTPATH_PORT_BASE=str(taken.getsockname()[1]))
        (message,) = preflight.busy_ports(own)
        elsewhere = settings(tmp_path, HOTPATH_PORT_BASE=str(own.port_base), HOTPATH_ONPREM_KAFKA="broker:9092")
        assert "(onprem)" not in " ".join(preflight.busy_ports(elsewhere)), "an engine that is named needs no port here"
    assert f"{own.port_base} (onprem)" in message
    assert "HOTPATH_PORT_BASE=" in message


def test_a_scorers_port_is_busy_only_when_the_scorer_is_not_ours(tmp_path: Path) -> None:
    def record(name: str, started: int) -> None:
        scorer = ScorerProcess(name, "flights", None, os.getpid(), started)
        (tmp_path / "onprem" / "scorers" / f"{name}.json").write_text(json.dumps(asdict(scorer)))

    (tmp_path / "onprem" / "scorers").mkdir(parents=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        own = settings(tmp_path, HOTPATH_PORT_BASE=str(taken.getsockname()[1] - FIRST_SCORER))
        assert Ports.of(own)["scorer:flights"] == taken.getsockname()[1]
        record("another-process-since", started=1)
        assert "scorer:flights" in preflight.busy_ports(own)[0]
        me = Process.of(os.getpid())
        assert me is not None
        record("alive", me.started)
        assert "scorer:flights" not in " ".join(preflight.busy_ports(own))


def test_too_little_memory_and_disk_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1.0 GB of memory are free" in preflight.too_little_memory(1024 * 1024)[0]
    assert preflight.too_little_memory(16 * 1024 * 1024) == []
    monkeypatch.setattr(preflight, "DISK_GB", 10**9)
    assert "set HOTPATH_DATA to another disk" in preflight.too_little_disk(tmp_path / "not" / "there")[0]


def test_the_first_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = first_key(Environment({}), tmp_path / "data" / "keys")
    assert first_key(Environment({}), tmp_path / "data" / "keys") == key
    assert stat.S_IMODE((tmp_path / "data" / "keys").stat().st_mode) == 0o600
    assert first_key(Environment({"HOTPATH_KEYS": "mine,other"}), tmp_path / "keys") == "mine"


@pytest.mark.parametrize("name", ["with blank", "quo'te", "ümlaut", "a,b", "a:b"])
def test_a_data_folder_that_engines_cannot_take_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    [message] = preflight.unfit_data(settings(tmp_path / name))
    assert f"{tmp_path / name}: the engines take only" in message
    assert "set HOTPATH_DATA to such a folder" in message
    assert preflight.unfit_data(settings(tmp_path)) == []


def test_ports_that_the_kernel_gives_away_are_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "range"
    monkeypatch.setattr(preflight, "LOCAL_PORT_RANGE", file)
    assert preflight.shared_ports(settings(tmp_path)) == []
    file.write_text("32768\t60999\n")
    assert preflight.shared_ports(settings(tmp_path, HOTPATH_PORT_BASE="32668")) == []
    for base in ("32669", "60999"):
        (line,) = preflight.shared_ports(settings(tmp_path, HOTPATH_PORT_BASE=base))
        assert "HOTPATH_PORT_BASE below 32669" in line
    assert preflight.shared_ports(settings(tmp_path, HOTPATH_PORT_BASE="61000")) == []


@pytest.mark.parametrize(
    "content", ["", '{"base": 9000, "given"', "[]", '{"base": 9000, "given": {"scorer:flights": 99999}}']
)
def test_damaged_notes_of_ports_and_scorers_are_taken_for_absent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    own = settings(tmp_path, HOTPATH_PORT_BASE="9000")
    for file in (own.folder.ports, own.folder.pids, own.folder.scorers / "broken.json"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    assert Ports.of(own)["scorer:flights"] == 9000 + FIRST_SCORER
    assert json.loads(own.folder.ports.read_text())["given"] == {"scorer:flights": FIRST_SCORER}
    assert end_leftovers(own.folder) == []
    assert live_scorers(own.folder) == []
    named = [line.partition(" is damaged")[0] for line in caplog.messages]
    assert named == [str(own.folder.ports), str(own.folder.pids), str(own.folder.scorers / "broken.json")]


def test_a_keys_file_without_a_key_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("\n")
    with pytest.raises(preflight.Unfit, match="keys holds no key: write one a line, or remove the file"):
        first_key(Environment({}), tmp_path / "keys")
