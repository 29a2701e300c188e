"""The environment of every part: addresses of what `up` starts, or of your own engines where you name them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from infra.ports import Ports
from infra.settings import ROOT, SHARE, Settings
from streaming.kafka.topic_rules import SideName

EXAMPLE = ROOT / "examples" / "flights" / "pipeline.toml"


def environment(settings: Settings, ports: Ports, pipelines: Iterable[str]) -> dict[str, str]:
    """What the caller has set wins: a variable that names an engine means that ours is not started."""
    given = dict(settings.env)
    local = {
        "HOTPATH_ONPREM_KAFKA": ports.address("onprem"),
        "HOTPATH_CLOUD_KAFKA": ports.address("cloud"),
        "HOTPATH_HDFS": f"hdfs://{ports.address('namenode')}",
        "HOTPATH_H2O": f"http://{ports.address('h2o')}",
        "HOTPATH_ADMIN": ports.address("admin"),
        "HOTPATH_PAGE": ports.address("page"),
        "HOTPATH_SPARK_JARS": f"{SHARE}/jars/spark",
        "HOTPATH_SPARK_MEMORY": settings.memory["SPARK"],
        "HOTPATH_CODE_VERSION": _code_version(),
    }
    hot = {f"HOTPATH_SCORER_{name.upper()}": ports.address(f"scorer:{name}") for name in pipelines}
    fixed = {
        "HOTPATH_DATA": str(settings.data),
        "JAVA_HOME": str(settings.java_home),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),  # for programs beside a pipeline file
        "PATH": f"{Path(sys.executable).parent}:{settings.java_home}/bin:{given.get('PATH', os.defpath)}",
    }
    return hot | {name: value for name, value in local.items() if value} | given | fixed


def is_local(settings: Settings, variable: str) -> bool:
    """Whether the engine that this variable names is ours to start."""
    return not settings.env.get(variable)


def started_kafkas(settings: Settings) -> list[SideName]:
    """The sides whose Kafka `up` itself starts: every topic there is ours."""
    variables: dict[SideName, str] = {"onprem": "HOTPATH_ONPREM_KAFKA", "cloud": "HOTPATH_CLOUD_KAFKA"}
    return [side for side, variable in variables.items() if is_local(settings, variable)]


def _code_version() -> str:
    """The commit of the checkout; empty where it is none, and the package's version is used."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
