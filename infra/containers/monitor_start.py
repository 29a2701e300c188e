"""Sets up the InfluxDB that compose starts, if it is new, and becomes the monitor.

Run: python -m infra.containers.monitor_start
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Final

from contract import variables
from contract.environment import Environment, VariableError
from contract.layout import Places
from contract.log_lines import start_logging
from infra.containers.compose_services import ports_of
from infra.engines.influxdb import is_set_up
from infra.settings import Settings

WITHIN_S: Final = 60.0

log = logging.getLogger("monitor_start")


def main() -> int:
    """1 when misconfigured; else it does not come back."""
    start_logging()
    try:
        set_up(Settings.from_environment())
    except VariableError as error:
        log.error("%s", error)
        return 1
    os.execv(sys.executable, [sys.executable, "-m", "monitoring"])


def set_up(settings: Settings) -> None:
    """An InfluxDB of the team's own is left as it is. One that does not answer is not waited for longer than a minute.

    Points wait on the monitor's disk until it does.
    """
    influx = Places.from_environment(settings.env).influx
    if influx is None or influx.url != f"http://{ports_of(settings).address('influxdb')}":
        return
    token = Environment(settings.env).required(variables.INFLUX_TOKEN)
    deadline = time.monotonic() + WITHIN_S
    while not is_set_up(influx.url, token):
        if time.monotonic() > deadline:
            log.error("InfluxDB is not set up, as it does not answer url=%s", influx.url)
            return
        time.sleep(1.0)


if __name__ == "__main__":
    sys.exit(main())
