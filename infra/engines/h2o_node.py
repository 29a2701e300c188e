"""H2O: a cluster of one node. It reads tables from HDFS and writes models to it."""

from __future__ import annotations

import os
from typing import Final

from infra.engines import hdfs_daemons, java
from infra.engines.spark_jars import packaged
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import json_at
from infra.supervisor.service import Service

_GIVE_BACK: Final = (
    "-XX:+IgnoreUnrecognizedVMOptions",  # a Java 17 before 17.0.9 does not have it
    "-XX:+UnlockExperimentalVMOptions",
    "-XX:TrimNativeHeapInterval=15000",
)
"""Returns memory to the machine that imports of Parquet files have freed: 1.5 GB stayed reserved after 30 imports."""


_PATIENT_THREADS: Final = {"OMP_WAIT_POLICY": "PASSIVE"}
"""XGBoost's threads sleep while they wait for each other. On a busy machine they otherwise burn what they wait for."""


def h2o(settings: Settings, ports: Ports) -> Service:
    """The part `h2o`. Its frames are in memory only: after a start it is empty, and the trainer imports again."""
    address = ports.address("h2o")

    def prepare() -> None:
        hdfs_daemons.render(settings, ports)
        java.write(settings.conf / "h2o.nodes", f"{address}\n")  # itself: it searches for no others by multicast

    return Service(
        name="h2o",
        command=(
            settings.java,
            f"-Xmx{settings.memory['H2O']}",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            *_GIVE_BACK,
            java.temporary_files(settings, "h2o"),
            "-jar",
            str(packaged("h2o") / "backend" / "bin" / "h2o.jar"),
            *("-name", f"hotpath-{ports['h2o']}", "-ip", ports.advertise, "-web_ip", ports.bind),
            *("-port", str(ports["h2o"]), "-flatfile", str(settings.conf / "h2o.nodes")),
            *("-nthreads", str(os.cpu_count() or 2), "-log_level", "WARN"),
            *("-hdfs_config", str(settings.conf / "hdfs" / "core-site.xml")),
            *("-ice_root", str(settings.folder.engine("h2o"))),
        ),
        env=java.ENVIRONMENT | _PATIENT_THREADS,
        prepare=prepare,
        ready=lambda _: _is_healthy(address),
        address=f"http://{address}",
        look_first="hotpath logs h2o",
    )


def _is_healthy(address: str) -> bool:
    cloud = json_at(address, "/3/Cloud")
    return bool(cloud and cloud["cloud_healthy"])
