"""Proof that a bucket gives back what it takes, before anybody relies on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from secrets import token_hex

from contract.layout import Influx
from monitoring.influx.influx_client import InfluxClient, InfluxUnfit

MEASUREMENT = "hotpath_probe"
WITHIN_S = 10.0


def probe(influx: Influx, sleep: Callable[[float], None] = time.sleep) -> None:
    """Write a point and read it back.

    Raises:
        InfluxUnfit: it refuses, or takes the point and does not give it back; the message names the remedy.
        InfluxAway: it does not answer.
    """
    with InfluxClient(influx) as client:
        nonce = token_hex(8)
        client.write(f'{MEASUREMENT} nonce="{nonce}" {round(time.time() * 1000)}\n'.encode())
        ends = time.monotonic() + WITHIN_S
        while not client.query(_read_back(influx.bucket, nonce)):
            if time.monotonic() >= ends:
                raise InfluxUnfit(
                    f"InfluxDB at {influx.url} took a point and did not give it back within {WITHIN_S:.0f} s: does the "
                    f"bucket {influx.bucket!r} keep nothing, or is another server's clock used?"
                )
            sleep(0.2)


def _read_back(bucket: str, nonce: str) -> str:
    return (
        f"from(bucket: {json.dumps(bucket)}) |> range(start: -1h, stop: 1h) "
        f'|> filter(fn: (r) => r._measurement == "{MEASUREMENT}" and r._value == "{nonce}")'
    )
