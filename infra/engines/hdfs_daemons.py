"""HDFS: a NameNode, a SecondaryNameNode and a DataNode. The daemons are started from Hadoop's shaded jars."""

from __future__ import annotations

import subprocess
from typing import Any

from infra.engines import java
from infra.engines.kafka_broker import EngineError
from infra.engines.spark_jars import spark_jars
from infra.ports import Ports
from infra.settings import SHARE, Settings
from infra.supervisor.readiness import json_at
from infra.supervisor.service import Service

FROM_SPARK = (
    *("hadoop-client-api", "hadoop-client-runtime", "slf4j-api", "jcl-over-slf4j"),
    *("log4j-slf4j2-impl", "log4j-api", "log4j-core"),
)
DAEMONS = "org.apache.hadoop.hdfs.server"
CHECKPOINT_S = 300
"""Between checkpoints. A NameNode that starts replays the edits since the last one; older edits are removed."""


def namenode(settings: Settings, ports: Ports) -> Service:
    """The part `namenode`: its address is the file system's."""

    def prepare() -> None:
        render(settings, ports)
        if not (settings.folder.engine("hdfs") / "name" / "current").exists():
            _format(settings)

    return Service(
        name="namenode",
        command=_command(settings, "namenode", "namenode.NameNode"),
        env=java.ENVIRONMENT,
        prepare=prepare,
        ready=lambda _: _state(ports) is not None,
        address=f"hdfs://{ports.address('namenode')}",
        look_first="hotpath logs namenode",
    )


def datanode(settings: Settings, ports: Ports) -> Service:
    """The part `datanode`: ready when the NameNode counts it and has left its safe mode."""
    return Service(
        name="datanode",
        command=_command(settings, "datanode", "datanode.DataNode"),
        env=java.ENVIRONMENT,
        prepare=lambda: render(settings, ports),
        ready=lambda _: _takes_blocks(ports),
        address=ports.address("datanode"),
        look_first="hotpath logs datanode",
    )


def secondarynamenode(settings: Settings, ports: Ports, after: tuple[str, ...]) -> Service:
    """The part `secondarynamenode`: makes the NameNode's checkpoints. Without them the file of edits only grows."""
    address = ports.address("secondarynamenode")
    return Service(
        name="secondarynamenode",
        command=_command(settings, "secondarynamenode", "namenode.SecondaryNameNode"),
        after=after,
        env=java.ENVIRONMENT,
        prepare=lambda: render(settings, ports),
        ready=lambda _: json_at(address, "/jmx?qry=Hadoop:service=SecondaryNameNode,name=*") is not None,
        address=f"http://{address}",
        look_first="hotpath logs secondarynamenode",
    )


def render(settings: Settings, ports: Ports) -> None:
    """Write core-site.xml (which H2O reads too) and hdfs-site.xml."""
    java.write(settings.conf / "hdfs" / "core-site.xml", java.hadoop_xml(core_site(settings, ports)))
    java.write(settings.conf / "hdfs" / "hdfs-site.xml", java.hadoop_xml(hdfs_site(settings, ports)))


def core_site(settings: Settings, ports: Ports) -> dict[str, object]:
    return {
        "fs.defaultFS": f"hdfs://{ports.address('namenode')}",
        "hadoop.tmp.dir": settings.folder.engine("hdfs") / "tmp",
        "dfs.client.use.datanode.hostname": True,
        "dfs.replication": 1,
    }


def hdfs_site(settings: Settings, ports: Ports) -> dict[str, object]:
    """One node; the two settings at the end spare each closing of a file some 400 ms."""
    folder = settings.folder.engine("hdfs")
    return {
        "dfs.replication": 1,
        "dfs.permissions.enabled": False,
        "dfs.namenode.name.dir": f"file://{folder}/name",
        "dfs.datanode.data.dir": f"file://{folder}/data",
        "dfs.namenode.rpc-address": ports.address("namenode"),
        "dfs.namenode.rpc-bind-host": ports.bind,
        "dfs.namenode.http-address": ports.address("namenode_http"),
        "dfs.namenode.http-bind-host": ports.bind,
        "dfs.datanode.address": ports.listens_at("datanode"),
        "dfs.datanode.http.address": ports.listens_at("datanode_http"),
        "dfs.datanode.ipc.address": ports.listens_at("datanode_ipc"),
        "dfs.datanode.hostname": ports.advertise,
        "dfs.client.use.datanode.hostname": True,
        "dfs.namenode.safemode.extension": 0,
        "dfs.client.block.write.replace-datanode-on-failure.enable": False,
        "dfs.namenode.handler.count": 4,
        "dfs.heartbeat.interval": 1,
        "dfs.namenode.secondary.http-address": ports.listens_at("secondarynamenode"),
        "dfs.namenode.checkpoint.dir": f"file://{folder}/secondary",
        "dfs.namenode.checkpoint.period": CHECKPOINT_S,
        "dfs.namenode.num.extra.edits.retained": 10000,
        "dfs.namenode.file.close.num-committed-allowed": 1,
        "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": 10,
    }


def _command(settings: Settings, part: str, daemon: str) -> tuple[str, ...]:
    heap = settings.memory[part.upper()]
    return java.command(settings, part, heap, _classpath(settings), f"{DAEMONS}.{daemon}")


def _classpath(settings: Settings) -> str:
    return ":".join([str(settings.conf / "hdfs"), f"{SHARE}/jars/hdfs/*", *spark_jars(*FROM_SPARK)])


def _format(settings: Settings) -> None:
    (settings.folder.engine("hdfs")).mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*_command(settings, "namenode", "namenode.NameNode"), "-format", "-nonInteractive", "-force"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise EngineError(f"namenode: its folder could not be formatted: {done.stderr[-2000:]}")


def _state(ports: Ports) -> dict[str, Any] | None:
    found = json_at(ports.address("namenode_http"), "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")
    return found["beans"][0] if found and found["beans"] else None


def _takes_blocks(ports: Ports) -> bool:
    state = _state(ports)
    return state is not None and state["NumLiveDataNodes"] == 1 and state["FSState"] == "Operational"
