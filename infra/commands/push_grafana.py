"""`hotpath grafana push`: dashboards, data source and alert rules into a Grafana of the team's own."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction

from contract import variables
from contract.environment import Environment
from contract.layout import Places
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.part_environment import environment
from monitoring.grafana.grafana_push import GrafanaError, push


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    actions = commands.add_parser("grafana").add_subparsers(required=True, metavar="ACTION")
    pushing = actions.add_parser("push", help="bring folder, data source, dashboards and alert rules to your Grafana")
    pushing.set_defaults(run=run)


def run(_: Namespace) -> int:
    """0 when all is there, 1 when Grafana does not take it, 2 when Grafana or InfluxDB is not named."""
    settings = Settings.from_environment()
    given = Environment(settings.env)
    url, token = given.get(variables.GRAFANA_URL), given.get(variables.GRAFANA_TOKEN)
    influx = Places.from_environment(environment(settings, Ports.of(settings), [])).influx
    if url is None or token is None:
        names = f"{variables.GRAFANA_URL.name} and {variables.GRAFANA_TOKEN.name}"
        print(f"hotpath: name your Grafana, and a token of a service account of it, in {names}", file=sys.stderr)
        return 2
    if influx is None:
        print(
            f"hotpath: there is no InfluxDB that Grafana could ask; name yours in {variables.INFLUX_URL.name}, or an "
            f"influxd in {variables.INFLUXD.name}",
            file=sys.stderr,
        )
        return 2
    try:
        for line in push(url, token, influx):
            print(line)
    except GrafanaError as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 1
    return 0
