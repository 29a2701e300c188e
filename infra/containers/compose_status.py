"""The parts of a compose project as `hotpath status` lists them: asked over the network, since each is a container."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any

from infra.containers.compose_services import ROLLOUTS, targets
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import answers, listens
from infra.supervisor.supervisor import Record
from serving.slots.slot_files import Slot, SlotFiles

_LISTEN = {
    "kafka-onprem": "onprem",
    "kafka-cloud": "cloud",
    "namenode": "namenode",
    "datanode": "datanode",
    "secondarynamenode": "secondarynamenode",
    "h2o": "h2o",
    "influxdb": "influxdb",
}
"""Service -> the port at which it is well when it listens there."""


def part_rows(settings: Settings, ports: Ports) -> list[dict[str, Any]]:
    """Every part with its state, and every living scorer slot."""
    engines = {service: ports.address(port) for service, port in _LISTEN.items()}
    ours = targets(settings, settings.deployed_names())
    with ThreadPoolExecutor(8) as pool:
        listening = pool.map(listens, engines.values())
        answering = pool.map(partial(answers, path="/metrics"), ours.values())
        found = [
            *(
                _row(name, is_well, address)
                for (name, address), is_well in zip(engines.items(), listening, strict=True)
            ),
            *(_row(name, body is not None, _opened(name, ports)) for name, body in zip(ours, answering, strict=True)),
        ]
    return found + [_of_slot(slot) for slot in _living_slots(settings)]


def _opened(part: str, ports: Ports) -> str:
    """What a person can open."""
    return f"http://{ports.address('page')}" if part == "monitor" else ""


def _row(part: str, is_well: bool, address: str) -> dict[str, Any]:
    service = {"streaming": "spark", "socket_manager": "socket-manager"}.get(part, part)
    return _record(part, "ready" if is_well else "away", address, ROLLOUTS if part.startswith(ROLLOUTS) else service)


def _of_slot(slot: Slot) -> dict[str, Any]:
    return _record(slot.name, "ready", slot.report.scorer or "free", "scorer")


def _record(part: str, state: str, address: str, service: str) -> dict[str, Any]:
    record = Record(
        part=part,
        state=state,
        pid=None,
        uptime_s=None,
        restarts=0,
        address=address,
        problem="",
        look_first=f"docker compose logs {service}",
        trouble="",
        dropped_lines=0,
    )
    return asdict(record)


def _living_slots(settings: Settings) -> list[Slot]:
    files = SlotFiles(settings.folder)
    with files.alone():
        return [slot for slot in files.all() if slot.is_alive]
