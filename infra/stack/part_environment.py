"""The environment of every part: addresses of what `up` starts, or of your own engines where you name them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from contract import variables
from contract.environment import Variable
from infra.engines import influxdb
from infra.ports import Ports
from infra.settings import ROOT, SHARE, Settings
from streaming.kafka.topic_rules import SideName

EXAMPLE = ROOT / "examples" / "flights" / "pipeline.toml"


def environment(settings: Settings, ports: Ports, pipelines: Iterable[str]) -> dict[str, str]:
    """What the caller has set wins: a variable that names an engine means that ours is not started."""
    given = dict(settings.env)
    local: list[tuple[Variable[Any], str]] = [
        (variables.ONPREM_KAFKA, ports.address("onprem")),
        (variables.CLOUD_KAFKA, ports.address("cloud")),
        (variables.HDFS, f"hdfs://{ports.address('namenode')}"),
        (variables.HDFS_HTTP, f"http://{ports.address('namenode_http')}" if is_local(settings, variables.HDFS) else ""),
        (variables.H2O, f"http://{ports.address('h2o')}"),
        (variables.ADMIN, ports.listens_at("admin")),
        (variables.PAGE, ports.listens_at("page")),
        (variables.SPARK_JARS, f"{SHARE}/jars/spark"),
        (variables.CODE_VERSION, _code_version()),
        *((variables.SCORER.of(name), ports.listens_at(f"scorer:{name}")) for name in pipelines),
    ]
    if starts_influxdb(settings) and settings.folder.influx_token.exists():  # the first `up` makes it
        local += [
            (variables.INFLUX_URL, f"http://{ports.address('influxdb')}"),
            (variables.INFLUX_ORG, influxdb.ORG),
            (variables.INFLUX_BUCKET, influxdb.BUCKET),
        ]
        if not settings.environment.is_given(variables.INFLUX_TOKEN):
            given[variables.INFLUX_TOKEN.file_name] = str(settings.folder.influx_token)
    fixed: dict[Variable[Any], str] = {
        variables.DATA: str(settings.data),
        variables.JAVA_HOME: str(settings.java_home),
    }
    for variable in fixed:
        given.pop(variable.file_name, None)
    python = {
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),  # for programs beside a pipeline file
        "PATH": f"{Path(sys.executable).parent}:{settings.java_home}/bin:{given.get('PATH', os.defpath)}",
    }
    ours = {variable.name: value for variable, value in local if value and not settings.environment.is_given(variable)}
    return given | ours | {variable.name: value for variable, value in fixed.items()} | python


def is_local(settings: Settings, variable: Variable[Any]) -> bool:
    """Whether the engine that this variable names is ours to start."""
    return not settings.environment.is_given(variable)


def starts_influxdb(settings: Settings) -> bool:
    """Whether `up` starts an InfluxDB: none is named, and there is a program.

    Raises:
        VariableError: the program that is named is no InfluxDB 2.
    """
    return is_local(settings, variables.INFLUX_URL) and influxdb.program(settings) is not None


def started_kafkas(settings: Settings) -> list[SideName]:
    """The sides whose Kafka `up` itself starts: every topic there is ours."""
    kafkas: dict[SideName, Variable[str | None]] = {
        "onprem": variables.ONPREM_KAFKA,
        "cloud": variables.CLOUD_KAFKA,
    }
    return [side for side, variable in kafkas.items() if is_local(settings, variable)]


def _code_version() -> str:
    """The commit of the checkout; empty where it is none, and the package's version is used."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
