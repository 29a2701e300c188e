"""Which InfluxDB the stack writes to, told before anything starts: one of its own, the team's, or none."""

from __future__ import annotations

from contract import variables
from contract.layout import Places
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.part_environment import environment, starts_influxdb
from infra.stack.preflight import Unfit
from monitoring.influx.influx_client import InfluxAway, InfluxUnfit
from monitoring.influx.influx_probe import probe


def check_influx(settings: Settings) -> list[str]:
    """What a person should know of the history, in at most one line.

    Raises:
        Unfit: the team's InfluxDB takes nothing, or gives nothing back; why, and the remedy.
        VariableError: not all of the variables are set that name it.
    """
    if starts_influxdb(settings):
        return []
    influx = Places.from_environment(environment(settings, Ports.of(settings), [])).influx
    if influx is None:
        named = f"name one in {variables.INFLUXD.name}, or your own InfluxDB in {variables.INFLUX_URL.name}"
        return [f"no influxd of version 2 is on PATH: the last hours stand on the status page alone; {named}"]
    try:
        probe(influx)
    except InfluxUnfit as error:
        raise Unfit(str(error)) from error
    except InfluxAway as error:
        return [f"{error}: points wait on disk until it answers"]
    return []
