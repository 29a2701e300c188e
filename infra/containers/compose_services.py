"""The services of docker-compose.yml: which part each runs, on which host, and where it serves its metrics.

Nothing here imports more than an engine's image holds.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from infra.engines import h2o_node, hdfs_daemons, java, kafka_broker
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.service import Service

METRICS_PORT: Final = 9100
PARTS: Final = {
    "socket_manager": "net",  # it lives in the network of that container
    "watcher": "watcher",
    "streaming": "spark",
    "trainer": "trainer",
    "pull": "pull",
    "monitor": "monitor",
}
"""Part of ours -> the host at which it serves `/metrics`."""
ROLLOUTS: Final = "rollout"
"""The host of the rollouts, one for each pipeline."""
ENGINES: Final = ("kafka-onprem", "kafka-cloud", "namenode", "datanode", "secondarynamenode", "h2o")
"""Those that `infra.containers.engine` runs, by the name that their parts have, too."""
_HOSTS: Final = {
    "onprem": "kafka-onprem",
    "onprem_controller": "kafka-onprem",
    "cloud": "kafka-cloud",
    "cloud_controller": "kafka-cloud",
    "mirror": "mirror",
    "namenode": "namenode",
    "namenode_http": "namenode",
    "datanode": "datanode",
    "datanode_http": "datanode",
    "datanode_ipc": "datanode",
    "secondarynamenode": "secondarynamenode",
    "h2o": "h2o",
    "h2o_internal": "h2o",
    "admin": "net",
    "page": "monitor",
    "influxdb": "influxdb",
    "scorer": "net",
}
_STEADY_S: Final = 3.0
"""How long the nodes of an H2O cluster must be the same before one starts: later it lets nobody in."""


def ports_of(settings: Settings) -> Ports:
    """The ports of the local stack, each at the host of its container."""
    return Ports(settings.port_base, settings.folder.ports, settings.bind, settings.advertise, _HOSTS)


def engine(name: str, settings: Settings) -> Service:
    """An engine as the local stack declares it, at the address of its container.

    Raises:
        ValueError: there is no engine of this name.
    """
    ports = ports_of(settings)
    match name:
        case "kafka-onprem":
            return kafka_broker.broker(settings, ports, "onprem")
        case "kafka-cloud":
            return kafka_broker.broker(settings, ports, "cloud")
        case "namenode":
            return hdfs_daemons.namenode(settings, ports)
        case "datanode":
            return hdfs_daemons.datanode(settings, ports)
        case "secondarynamenode":
            return hdfs_daemons.secondarynamenode(settings, ports, after=())
        case "h2o":
            return _h2o(settings)
    raise ValueError(f"there is no engine {name}; there are: {', '.join(ENGINES)}")


def _h2o(settings: Settings) -> Service:
    """One node of H2O; it finds the others, as many as there are, behind the one name that they share."""
    own = socket.gethostbyname(socket.gethostname())
    ports = Ports(settings.port_base, settings.folder.ports, settings.bind, own, {**_HOSTS, "h2o": own})
    node = h2o_node.h2o(settings, ports)

    def prepare() -> None:
        if node.prepare:
            node.prepare()
        others = "".join(f"{address}:{ports['h2o']}\n" for address in _steady_addresses(_HOSTS["h2o"]) | {own})
        java.write(settings.conf / "h2o.nodes", others)

    return replace(node, prepare=prepare)


def _steady_addresses(name: str) -> set[str]:
    """Every address of a name, once it has been the same for a while."""
    seen, since = set[str](), time.monotonic()
    while time.monotonic() < since + _STEADY_S:
        now = _addresses(name)
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.25)
    return seen


def _addresses(name: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)}
    except socket.gaierror:
        return set()


def targets(settings: Settings, pipelines: list[str]) -> Mapping[str, str]:
    """Part -> host:port of its `/metrics`."""
    ports = ports_of(settings)
    rollouts = {f"rollout-{name}": f"{ROLLOUTS}:{ports[f'metrics:rollout-{name}']}" for name in pipelines}
    return {part: f"{host}:{METRICS_PORT}" for part, host in PARTS.items()} | rollouts
