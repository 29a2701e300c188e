"""docs/own-engines.md: every command of the page, run with engines that hotpath did not start."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from contract.layout import Places
from infra.engines import hdfs_daemons, kafka_broker
from infra.engines.spark_jars import spark_jars
from infra.ports import Ports
from infra.settings import ROOT, Settings
from infra.stack import control_socket
from infra.supervisor.service import Running
from streaming.pipeline_file.load import load
from tests.integration.conftest import free_base
from tests.integration.h2o_process import running_h2o
from tests.integration.own_kafkas import own_kafkas, settings_of
from tests.integration.own_streaming import MINIMAL, produce
from tests.integration.secured_kafka import running
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.deep]

BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "own-engines.md").read_text(encoding="utf-8"), re.DOTALL)
THEIRS = {"kafka-onprem", "kafka-cloud", "namenode", "datanode", "secondarynamenode", "h2o"}


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a person who has engines of their own, and Kafka's and HDFS's tools."""
    with ExitStack() as engines:
        kafkas = engines.enter_context(own_kafkas(tmp_path, free_base()))
        hdfs = engines.enter_context(running_hdfs(kafkas.settings, tmp_path))
        h2o = engines.enter_context(running_h2o(tmp_path))
        data = Path(tempfile.mkdtemp(prefix="hotpath-"))  # short: Unix sockets lie in it
        engines.callback(shutil.rmtree, data, ignore_errors=True)
        own = {"HOTPATH_HDFS": hdfs, "HOTPATH_H2O": h2o, "HOTPATH_SPARK_MASTER": "local[2]"}
        up = {"HOTPATH_DATA": str(data), "HOTPATH_PORT_BASE": str(free_base()), "HOTPATH_TRIGGER_S": "1"}
        path = f"{os.environ['PATH']}:{tools(kafkas.settings, tmp_path / 'bin')}"  # real tools first
        yield {**os.environ, **kafkas.env, **own, **up, "PATH": path}


@contextmanager
def running_hdfs(settings: Settings, folder: Path) -> Iterator[str]:
    ports = Ports.of(settings)
    with ExitStack() as daemons:
        for part in (hdfs_daemons.namenode(settings, ports), hdfs_daemons.datanode(settings, ports)):
            daemons.enter_context(running(settings, part, folder / f"{part.name}.log"))
            until(partial(part.ready, Running(lambda _: False)), 120, part.name)
        yield f"hdfs://{ports.address('namenode')}"


def tools(settings: Settings, folder: Path) -> Path:
    """Programs named as those of Kafka and HDFS, from the jars that we have."""
    hadoop = ":".join([str(settings.folder.conf / "hdfs"), *spark_jars(*hdfs_daemons.FROM_SPARK)])
    programs = {
        "kafka-configs.sh": [settings.java, "-cp", kafka_broker.classpath(), "kafka.admin.ConfigCommand"],
        "kafka-topics.sh": [sys.executable, str(Path(__file__).with_name("kafka_topics.py"))],
        "hdfs": [settings.java, "-cp", hadoop, "org.apache.hadoop.fs.FsShell"],
        "hotpath": [sys.executable, "-m", "infra.cli"],
    }
    folder.mkdir()
    for name, command in programs.items():
        first = "shift\n" if name == "hdfs" else ""  # `hdfs dfs ...`
        (folder / name).write_text(f'#!/bin/sh\n{first}exec {shlex.join(command)} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


def bash(block: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-euo", "pipefail", "-c", block]
    return subprocess.run(command, cwd=ROOT, env=dict(env), capture_output=True, text=True, timeout=300)


def parts(settings: Settings) -> dict[str, dict[str, Any]]:
    try:
        answer = next(control_socket.ask(settings.folder.control, {"do": "status"}))
    except control_socket.NotRunning:
        return {}
    return {part["part"]: part for part in answer["parts"]}


def well(settings: Settings) -> bool:
    found = parts(settings)
    return bool(found) and all(part["state"] == "ready" for part in found.values())


@contextmanager
def up(block: str, env: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {block}"],
            cwd=ROOT,
            env=dict(env),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def test_every_command_of_the_page_works(env: dict[str, str], tmp_path: Path) -> None:
    names, *commands, start, status = BLOCKS
    assert {name for name in env if f"export {name}=" in names} == set(re.findall(r"export (\w+)=", names))
    assert (start.split()[:2], status.strip()) == (["hotpath", "up"], "hotpath status")
    for block in commands:
        done = bash(block, env)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"

    settings, places, pipeline = Settings.from_environment(env), Places.from_environment(env), load(MINIMAL)
    topics = pipeline.events.topic, pipeline.label.topic
    before = [settings_of(kafka, *topics) for kafka in (places.onprem, places.cloud)]
    with up(start, env, tmp_path / "up.log"):
        until(partial(well, settings), 300, "every part", every_s=1)
        assert THEIRS.isdisjoint(parts(settings))
        assert "kafka-onprem" not in bash(status, env).stdout
        event = dict(pipeline.examples[0].event)
        produce(places.onprem, pipeline.events.topic, [json.dumps(event | {"reading": n}).encode() for n in range(10)])

        def arrived() -> bool:
            table = places.table(pipeline.name, "events")
            return DeltaTable.is_deltatable(table) and DeltaTable(table).to_pyarrow_table().num_rows == 10

        until(arrived, 180, "the events on their HDFS", every_s=1)
        assert [settings_of(kafka, *topics) for kafka in (places.onprem, places.cloud)] == before
