"""A real InfluxDB for tests: the one that HOTPATH_INFLUXD names or that is on PATH."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.layout import Influx
from infra.engines import influxdb
from infra.ports import Ports
from infra.settings import Settings
from tests.integration.conftest import free_base
from tests.integration.secured_kafka import running
from tests.waiting import until


@dataclass(frozen=True)
class InfluxServer:
    """Set up as `up` does it; `run` starts it, and again with the same data and address."""

    settings: Settings
    ports: Ports
    program: Path

    @property
    def influx(self) -> Influx:
        url = f"http://{self.ports.address('influxdb')}"
        return Influx(url, influxdb.ORG, influxdb.BUCKET, influxdb.token(self.settings))

    @contextmanager
    def run(self) -> Iterator[None]:
        with running(
            self.settings,
            influxdb.influxdb(self.settings, self.ports, self.program),
            self.settings.data / "influxdb.log",
        ):
            until(lambda: influxdb.is_set_up(self.influx.url, self.influx.token), 60, "InfluxDB")
            yield


def server(data: Path) -> InfluxServer:
    """One that does not run yet. Without a program the test is left out, which `hotpath test` says at its end."""
    settings = Settings.from_environment(
        {
            **os.environ,
            "HOTPATH_DATA": str(data),
            "HOTPATH_PORT_BASE": str(free_base()),
        }
    )
    program = influxdb.program(settings)
    if program is None:
        pytest.skip("there is no influxd")
    influxdb.make_token(settings)
    return InfluxServer(settings, Ports.of(settings), program)
