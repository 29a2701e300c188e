"""The replay's one clock: flight time (2013 and the laps after it) as an affine function of real time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from flights_data import NEW_YORK

from contract.files import write_durably

START = datetime(2013, 1, 22, 8, 0, tzinfo=NEW_YORK).timestamp()
"""A Tuesday morning after three weeks of data: what the first start calls now."""


@dataclass(frozen=True)
class Clock:
    """`flight = anchor_flight + (real - anchor_real) * speed`; both in seconds since 1970."""

    anchor_real: float
    anchor_flight: float
    speed: float

    def flight(self, real: float) -> float:
        return self.anchor_flight + (real - self.anchor_real) * self.speed

    def real(self, flight: float) -> float:
        return self.anchor_real + (flight - self.anchor_flight) / self.speed


def load_or_anchor(path: Path, speed: float, now: float) -> Clock:
    """The clock stored at `path`, or a new one whose now is `START`, stored there.

    Raises:
        SystemExit: the stored clock runs at another speed, or its file is damaged.
    """
    if path.exists():
        clock = _stored(path)
        if clock.speed != speed:
            raise SystemExit(f"{path}: this clock runs {clock.speed:g} times as fast; not {speed:g}: use another name")
        return clock
    clock = Clock(anchor_real=now, anchor_flight=START, speed=speed)
    store(path, asdict(clock))
    return clock


def _stored(path: Path) -> Clock:
    """No other clock can take its place: the flights of before would come at other moments."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Clock)
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        remedy = "remove it, and the flights begin anew, or choose another name for the pipeline"
        raise SystemExit(f"{path} is damaged ({error}); {remedy}") from error


def store(path: Path, what: dict[str, float]) -> None:
    """Write JSON whole or not at all."""
    write_durably(path, json.dumps(what).encode())
