"""H2O: a cluster of one node, which reads and writes HDFS by itself."""

from __future__ import annotations

import os

from infra.conditions import json_at
from infra.engines import hdfs, java
from infra.engines.spark_jars import packaged
from infra.part import Part
from infra.ports import Ports
from infra.settings import Settings


def h2o(settings: Settings, ports: Ports) -> Part:
    """The part `h2o`. Its frames live in its heap alone: a start begins empty, and the trainer imports again."""
    address = ports.address("h2o")

    def prepare() -> None:
        hdfs.render(settings, ports)
        java.write(settings.conf / "h2o.nodes", f"{address}\n")  # itself alone: no multicast for others

    return Part(
        name="h2o",
        command=(
            settings.java,
            f"-Xmx{settings.memory['H2O']}",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-jar",
            str(packaged("h2o") / "backend" / "bin" / "h2o.jar"),
            *("-name", f"hotpath-{ports['h2o']}", "-ip", "127.0.0.1", "-web_ip", "127.0.0.1"),
            *("-port", str(ports["h2o"]), "-flatfile", str(settings.conf / "h2o.nodes")),
            *("-nthreads", str(os.cpu_count() or 2), "-log_level", "WARN"),
            *("-hdfs_config", str(settings.conf / "hdfs" / "core-site.xml")),
            *("-ice_root", str(settings.data / "h2o")),
        ),
        env=java.ENVIRONMENT,
        prepare=prepare,
        ready=lambda _: _is_healthy(address),
        address=f"http://{address}",
        look_first="hotpath logs h2o",
    )


def _is_healthy(address: str) -> bool:
    cloud = json_at(address, "/3/Cloud")
    return bool(cloud and cloud["cloud_healthy"])
