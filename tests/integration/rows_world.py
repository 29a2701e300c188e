"""A small pipeline's world: its file, its times, and the Kafka records in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

FILE = """
name = "world"
[events]
topic = "asked"
key = ["entity"]
id = "id"
time = "at"
host = "host"
fields = { id = "string", entity = "string", at = "timestamp", host = "string", due_at = "timestamp", x = "double" }
[features]
double_x = "x * 2.0"
minutes = "(unix_millis(due_at) - unix_millis(as_of)) / 60000.0"
[label]
topic = "happened"
key = ["entity"]
fields = { entity = "string", outcome = "double" }
value = "outcome > 0.5"
wait = "due_at"
max_wait = "10m"
max_late = "90s"
# missing
[clock]
imports = true
[lake]
buckets = "1m"
retention = "30d"
raw_retention = "1d"
[training]
window = "30m"
holdout = "5m"
every = "1m"
[serving]
max_age = "4h"
"""
MINUTE_S, MAX_WAIT_S, MAX_LATE_S = 60, 600, 90
START_S = 1_767_225_600
END_S = START_S + 3_600


@dataclass(frozen=True)
class Record:
    """A Kafka record: where it is, when it was appended, what it says."""

    topic: str
    partition: int
    offset: int
    append_s: float
    value: dict[str, Any]

    @property
    def place(self) -> tuple[float, int, int]:
        return (self.append_s, self.partition, self.offset)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(seconds * 1000))


def text(seconds: float) -> str:
    return moment(seconds).isoformat(timespec="milliseconds")


def question(number: int, due_s: float, **more: object) -> Record:
    value = {"id": f"q{number}", "entity": "e", "at": text(START_S), "due_at": text(due_s), "x": 1.5, **more}
    return Record("asked", 0, number, START_S + number / 1000, value)


def prediction(number: int, due_s: float, **more: object) -> Record:
    value: dict[str, object] = {
        "prediction_id": f"p{number}",
        "id": f"q{number}",
        "key": '["e"]',
        "as_of": text(START_S),
    }
    value |= {"due": text(due_s), "answered": text(START_S), "model": "m", "probability": 0.25, "features": {}}
    return Record("world.predictions", 0, number, START_S + number / 1000, value | {"event": {}} | more)


def label(offset: int, append_s: float, outcome: float | None = 1.0, entity: str = "e") -> Record:
    return Record("happened", 1, offset, append_s, {"entity": entity, "outcome": outcome})
