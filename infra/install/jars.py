"""The jars that no Python package brings, through Spark's own resolver. Standard library only.

Three folders, apart from each other since they hold different versions of the same clients: `kafka` (brokers and
mirror), `spark` (Kafka source and Delta), `hdfs` (the daemons). A folder is complete or not there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.install import stamps
from infra.install.virtual_environment import InstallError, Say, site_packages


@dataclass(frozen=True)
class JarSet:
    """Coordinates to resolve, each tuple by itself, and modules to leave out of what they bring."""

    name: str
    requests: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    spark_has_the_rest: bool
    """Whether what PySpark ships itself is left out."""
    uncompressed: bool = False
    """Whether to store the jars anew, larger and sooner read."""


_HADOOP = ("org.apache.hadoop:hadoop-client-runtime", "org.apache.hadoop:hadoop-client-api")
_PROVIDER = "org.apache.spark:spark-token-provider-kafka-0-10_2.13"

SETS: Final = (
    JarSet(
        "kafka",
        (
            (
                (
                    "org.apache.kafka:kafka_2.13:4.3.1",
                    "org.apache.kafka:connect-mirror:4.3.1",
                    "org.apache.kafka:connect-runtime:4.3.1",
                    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",  # without it Kafka logs nothing
                ),
                (),
            ),
        ),
        spark_has_the_rest=False,
    ),
    JarSet(
        "hdfs",
        (
            (
                ("org.apache.hadoop:hadoop-client-minicluster:3.5.0",),
                (*_HADOOP, "org.slf4j:slf4j-api", "org.apache.logging.log4j:log4j-api"),
            ),
        ),
        spark_has_the_rest=True,
        uncompressed=True,  # each daemon's web server reads its whole jar twice when it starts
    ),
    JarSet(
        "spark",
        (
            (
                (
                    "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0",
                    "org.apache.kafka:kafka-clients:3.9.2",
                    "org.apache.commons:commons-pool2:2.13.1",
                ),
                (_PROVIDER, *_HADOOP),  # the provider of this version was never published
            ),
            ((f"{_PROVIDER}:4.0.0",), ("org.apache.kafka:kafka-clients", *_HADOOP)),
            (("io.delta:delta-spark_4.2_2.13:4.4.0",), (*_HADOOP, "org.apache.parquet:parquet-hadoop")),
        ),
        spark_has_the_rest=True,
    ),
)


SYSTEM_TRUST: Final = (Path("/etc/ssl/certs/java/cacerts"), Path("/etc/pki/java/cacerts"))
"""Where Debian and Fedora keep the certificates that this machine's administrator trusts, in Java's format."""


def install(folder: Path, share: Path, say: Say) -> None:
    """Fetch the sets that lack or have changed.

    Raises:
        InstallError: a set could not be resolved; the resolver's last lines are in the message.
    """
    lacking = [each for each in SETS if not stamps.is_current(share / "jars" / each.name / "stamp", repr(each))]
    if not lacking:
        return
    say(f"fetching the jars of {', '.join(each.name for each in lacking)} (about 110 MB)")
    (share / "jars").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        for name, count in pool.map(lambda each: _fetch(folder, share, each), lacking):
            say(f"  {name}: {count} jars")


def _fetch(folder: Path, share: Path, jars: JarSet) -> tuple[str, int]:
    pyspark = site_packages(folder) / "pyspark"
    target = share / "jars" / jars.name
    with tempfile.TemporaryDirectory(dir=share / "jars", prefix=f".{jars.name}-") as scratch:
        for coordinates, excluded in jars.requests:
            _resolve(folder, pyspark, share / "java", Path(scratch), coordinates, excluded)
        complete = Path(scratch) / "complete"
        complete.mkdir()
        there = (
            {_artifact(path.name) for path in (pyspark / "jars").glob("*.jar")} if jars.spark_has_the_rest else set()
        )
        fetched = sorted((Path(scratch) / "jars").glob("*.jar"))
        wanted = [path for path in fetched if _artifact(path.name.partition("_")[2]) not in there]
        for path in wanted:
            (uncompress if jars.uncompressed else os.rename)(path, complete / path.name)
        stamps.write(complete / "stamp", repr(jars))
        shutil.rmtree(target, ignore_errors=True)
        complete.rename(target)
    return jars.name, len(wanted)


def _resolve(
    folder: Path, pyspark: Path, java: Path, scratch: Path, coordinates: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    """Let spark-submit resolve, and run an empty program; the jars come to `scratch/jars`."""
    program = scratch / "empty.py"
    program.write_text("")
    command = [
        str(pyspark / "bin" / "spark-submit"),
        *("--master", "local[1]", "--conf", "spark.ui.enabled=false", "--conf", f"spark.jars.ivy={scratch}"),
        *("--packages", ",".join(coordinates)),
        *(("--exclude-packages", ",".join(excluded)) if excluded else ()),
        str(program),
    ]
    environment = os.environ | {
        "SPARK_HOME": str(pyspark),
        "PYSPARK_PYTHON": str(folder / "bin" / "python"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JAVA_HOME": str(java),
        **_trust(),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        last = "\n  ".join((done.stdout + done.stderr).splitlines()[-15:])
        raise InstallError(f"{', '.join(coordinates)}: could not be fetched; is the network there?\n  {last}")


def uncompress(jar: Path, target: Path) -> None:
    """The same files in the same order, stored."""
    with zipfile.ZipFile(jar) as compressed, zipfile.ZipFile(target, "w") as stored:
        for entry in compressed.infolist():
            stored.writestr(entry, compressed.read(entry), zipfile.ZIP_STORED)


def _trust() -> dict[str, str]:
    """What makes Java trust what the machine trusts, such as a company's own proxy; else its own list holds."""
    options = os.environ.get("JAVA_TOOL_OPTIONS", "")
    store = next((path for path in SYSTEM_TRUST if path.is_file()), None)
    if store is None or "trustStore" in options:
        return {}
    return {"JAVA_TOOL_OPTIONS": f"{options} -Djavax.net.ssl.trustStore={store}".strip()}


def _artifact(file: str) -> str:
    """`delta-spark_4.2_2.13-4.4.0.jar` -> `delta-spark_4.2_2.13`."""
    return re.sub(r"-\d[\w.]*\.jar$", "", file)
