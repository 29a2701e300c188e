"""What must hold before anything is started: free ports, memory, disk. One message names everything that lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

from contract import variables
from infra.install.prerequisites import unfit_path
from infra.ports import FIXED, SPAN, Ports, is_free
from infra.settings import Settings
from infra.stack.live_scorers import live_scorers
from infra.stack.part_environment import is_local, starts_influxdb

LOCAL_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
MEMORY_GB = 6
DISK_GB = 8

ENGINE_OF = {
    "onprem": variables.ONPREM_KAFKA,
    "cloud": variables.CLOUD_KAFKA,
    "namenode": variables.HDFS,
    "datanode": variables.HDFS,
    "secondarynamenode": variables.HDFS,
    "h2o": variables.H2O,
}


class Unfit(Exception):
    """The machine, or what is deployed on it, does not allow what was asked; the message names reason and remedy."""


def check_before_start(settings: Settings) -> None:
    """The path of the data folder, ports, memory and disk.

    Raises:
        Unfit: with every reason.
    """
    machine = [*too_little_memory(_available_kb()), *too_little_disk(settings.data)]
    found = [*unfit_data(settings), *busy_ports(settings), *machine]
    if found:
        raise Unfit("not started:\n  " + "\n  ".join(found))


def unfit_data(settings: Settings) -> list[str]:
    return unfit_path(settings.data, f"set {variables.DATA.name} to such a folder")


def busy_ports(settings: Settings) -> list[str]:
    """Ports of what `up` would start itself; not those at which scorers of ours go on answering."""
    ports = Ports.of(settings)
    answering = {f"scorer:{scorer.pipeline}" for scorer in live_scorers(settings.folder)}
    names = [name for name in FIXED if _is_ours(settings, name)]
    wanted = {name: ports[name] for name in [*names, *ports.given()] if name not in answering}
    busy = [f"{port} ({name})" for name, port in wanted.items() if not is_free(settings.bind, port)]
    if not busy:
        return []
    other = variables.PORT_BASE.with_value(variables.PORT_BASE.example)
    remedy = f"stop what listens there, or choose other ports, for example {other} hotpath up"
    return [f"busy ports: {', '.join(busy)}; {remedy}"]


def shared_ports(settings: Settings) -> list[str]:
    """A warning where the kernel gives our ports to outgoing connections: one of them may hold a port that we need."""
    try:
        low, high = map(int, LOCAL_PORT_RANGE.read_text().split())
    except (OSError, ValueError):
        return []
    first, last = settings.port_base, settings.port_base + SPAN - 1
    if last < low or first > high:
        return []
    return [
        f"the ports {first} to {last} lie among those that this host gives to outgoing connections ({low} to {high}), "
        f"one of which may hold a port of ours; a {variables.PORT_BASE.name} below {low - SPAN + 1} avoids that"
    ]


def _is_ours(settings: Settings, port: str) -> bool:
    if port == "influxdb":
        return starts_influxdb(settings)
    engine = ENGINE_OF.get(port.split("_")[0])
    return engine is None or is_local(settings, engine)


def too_little_memory(available_kb: int) -> list[str]:
    if available_kb >= MEMORY_GB * 1024 * 1024:
        return []
    have = available_kb / 1024 / 1024
    return [f"{have:.1f} GB of memory are free, {MEMORY_GB} are needed; end other programs, or use a larger machine"]


def too_little_disk(folder: Path) -> list[str]:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free / 1024**3
    if free >= DISK_GB:
        return []
    remedy = f"make room, or set {variables.DATA.name} to another disk"
    return [f"{free:.1f} GB are free at {there}, {DISK_GB} are needed; {remedy}"]


def _available_kb() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
