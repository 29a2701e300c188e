"""When the on-prem broker appended each record, and whether that can be: the tables' one trusted clock.

An imported record states its append time in a header, in decimal milliseconds since 1970. Where a record has several
headers of that name, the last one counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from contract.records import TIMESTAMP
from contract.timestamps import from_us, rfc3339, to_us
from contract.topics import APPEND_TIME_HEADER

EARLIEST_US: Final = to_us(datetime(1990, 1, 1, tzinfo=UTC))
END_US: Final = to_us(datetime(2100, 1, 1, tzinfo=UTC))
"""No record was appended before 1990 or from 2100 on: such a stamp counts something else than milliseconds."""

UNITS: Final = {"seconds": 1_000_000, "microseconds": 1, "nanoseconds": 0.001}
"""What an append time that is no milliseconds may count, in microseconds."""

_NUMBER: Final = re.compile(rb"-?[0-9]{1,20}")


def with_append_times(records: pa.RecordBatch, now_us: int) -> pa.RecordBatch:
    """With `append_time` and `imported` instead of the header `stated`, and `problem`: what is wrong with them.

    A record with a problem has the broker's stamp as its append time, or `now_us` where that is what is wrong; a
    broker's stamp that is wrong becomes NULL.
    """
    stamps = records["kafka_time"].cast(pa.int64()).to_pylist()
    found = [_append_time(*both, now_us) for both in zip(stamps, records["stated"].to_pylist(), strict=True)]
    moments, problems = [us for us, _ in found], [problem for _, problem in found]
    usable = pa.array([_is_possible(stamp) for stamp in stamps], pa.bool_())
    columns = {name: records[name] for name in records.schema.names if name != "stated"} | {
        "kafka_time": pc.if_else(usable, records["kafka_time"], pa.scalar(None, records["kafka_time"].type)),
        "append_time": pa.array(moments, pa.int64()).cast(TIMESTAMP),
        "imported": pc.and_(pc.is_valid(records["stated"]), pc.is_null(pa.array(problems, pa.string()))),
        "problem": pa.array(problems, pa.string()),
    }
    return pa.record_batch(columns)


def _append_time(stamp_us: int | None, stated: bytes | None, now_us: int) -> tuple[int, str | None]:
    """The append time, and what is wrong with it. `stated` is the header's value, None where there is no header."""
    if stamp_us is None or not _is_possible(stamp_us):
        return now_us, f"the broker's stamp is {_what(None if stamp_us is None else stamp_us // 1000)}"
    if stated is None:
        return stamp_us, None
    if not _NUMBER.fullmatch(stated):
        return stamp_us, f"the header {APPEND_TIME_HEADER} is no decimal number of milliseconds since 1970"
    stated_us = int(stated) * 1000
    if not _is_possible(stated_us):
        return stamp_us, f"the header {APPEND_TIME_HEADER} is {_what(int(stated))}"
    if stated_us > stamp_us:
        late = f"{rfc3339(from_us(stated_us))}, which is after the broker's own stamp {rfc3339(from_us(stamp_us))}"
        return stamp_us, f"the header {APPEND_TIME_HEADER} states {late}"
    return stated_us, None


def _is_possible(us: int | None) -> bool:
    return us is not None and EARLIEST_US <= us < END_US


def _what(number: int | None) -> str:
    """What a number is that should be milliseconds."""
    if number is None or number == -1:
        return "missing"
    unit = next((unit for unit, size in UNITS.items() if _is_possible(int(number * size))), None)
    likely = f"these seem to be {unit}" if unit else "which lies outside the years 1990 to 2099"
    return f"{number}, and must be milliseconds since 1970: {likely}"
