"""What the replay hands to a broker: a record that does not arrive is told, not lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flights_clock import Clock
from flights_records import records
from producing import Producing

from streaming.pipeline_file.load import load

FILE = Path("examples/flights/pipeline.toml")


class Nobody:
    """A broker's address at which nobody listens, and no patience with it."""

    def client(self, **settings: Any) -> dict[str, Any]:
        named = {name.replace("_", "."): value for name, value in settings.items()}
        return named | {"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 200, "log_level": 0}


def test_a_record_that_no_broker_takes_ends_the_replay_with_the_reason() -> None:
    producing = Producing(Nobody(), load(FILE), Clock(0.0, 0.0, 60.0))  # type: ignore[arg-type]
    record = next(record for record in records(0.0) if record.kind == "asked")
    producing.produce(record, producing.body(record), imported=True)
    with pytest.raises(RuntimeError, match=r"refused 1 records, first: flights\.asked: .*_MSG_TIMED_OUT"):
        producing.settle()
