"""Which part listens where: fixed places above a base, remembered in the data folder."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from contract.files import write_durably
from contract.state_file import read_state
from contract.variable_types import LOOPBACK
from infra.settings import Settings

FIXED: Final = {
    "onprem": 0,
    "onprem_controller": 1,
    "cloud": 2,
    "cloud_controller": 3,
    "mirror": 4,
    "namenode": 5,
    "namenode_http": 6,
    "datanode": 7,
    "datanode_http": 8,
    "datanode_ipc": 9,
    "h2o": 10,  # takes the next one as well
    "h2o_internal": 11,
    "admin": 12,
    "page": 13,
    "secondarynamenode": 14,
    "influxdb": 15,
}
FIRST_SCORER: Final = 20
FIRST_METRICS: Final = 50
SPAN: Final = 100
"""How many ports above the base are ours."""


Offset = Annotated[int, msgspec.Meta(ge=0, lt=SPAN)]


class Stored(msgspec.Struct, frozen=True):
    """The file: which offset above the base was given to which name."""

    base: int
    given: dict[str, Offset]


class Ports:
    """Ports by name; `scorer:NAME` and `metrics:PART` are given out in the order of asking, and kept."""

    def __init__(
        self,
        base: int,
        file: Path,
        bind: str = LOOPBACK,
        advertise: str = LOOPBACK,
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        """`hosts`: the host of each part that is not at `advertise`, as where each is a container; `scorer` for all."""
        self._base, self._file, self._hosts = base, file, hosts or {}
        self.bind, self.advertise = bind, advertise
        stored = read_state(file, Stored, "ports are given anew, and addresses may change")
        self._given = dict(stored.given) if stored and stored.base == base else {}

    def __getitem__(self, name: str) -> int:
        return self._base + (FIXED[name] if name in FIXED else self._given.get(name) or self._give(name))

    @classmethod
    def of(cls, settings: Settings) -> Ports:
        return cls(settings.port_base, settings.folder.ports, settings.bind, settings.advertise)

    def address(self, name: str) -> str:
        """Where a part is reached."""
        return f"{self._hosts.get(name.partition(':')[0], self.advertise)}:{self[name]}"

    def listens_at(self, name: str) -> str:
        """Where a part listens."""
        return f"{self.bind}:{self[name]}"

    def given(self) -> list[str]:
        """Names that have been given a port besides the fixed ones."""
        return list(self._given)

    def forget(self, names: Iterable[str]) -> None:
        """Their ports may be given to others."""
        self._given = {name: offset for name, offset in self._given.items() if name not in set(names)}
        self._store()

    def _give(self, name: str) -> int:
        first = FIRST_SCORER if name.startswith("scorer:") else FIRST_METRICS
        offset = next(number for number in range(first, SPAN) if number not in self._given.values())
        self._given[name] = offset
        self._store()
        return offset

    def _store(self) -> None:
        write_durably(self._file, json.dumps({"base": self._base, "given": self._given}, indent=1).encode())


def is_free(host: str, port: int) -> bool:
    """Whether one could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
