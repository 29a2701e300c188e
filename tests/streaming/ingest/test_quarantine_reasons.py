"""Each quarantined question counts under the one reason that its producer can do something about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from contract.records import OUTSIDE, TIMESTAMP
from streaming.ingest.quarantine_reasons import quarantine_reasons

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def events(as_of: datetime | None, due: datetime | None, bucket: int = OUTSIDE) -> pa.RecordBatch:
    columns = {"as_of": as_of, "due": due, "append_time": NOW}
    arrays = {name: pa.array([moment], TIMESTAMP) for name, moment in columns.items()}
    return pa.record_batch(arrays | {"bucket": pa.array([bucket], pa.int64())})


@pytest.mark.parametrize(
    ("as_of", "due", "reason"),
    [
        (None, NOW, "as_of_null"),
        (NOW, None, "due_null"),
        (datetime.fromtimestamp(NOW.timestamp() / 1000, UTC), datetime(1970, 1, 22, tzinfo=UTC), "as_of_in_1970"),
        (NOW - HOUR, NOW + 90 * HOUR, "due"),
        (NOW - HOUR, NOW - 90 * HOUR, "due"),
        (NOW - 90 * HOUR, NOW - 88 * HOUR, "as_of_past"),
        (NOW + 90 * HOUR, NOW + 92 * HOUR, "as_of_future"),
        (datetime(9999, 12, 31, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), "as_of_future"),
        (datetime(1, 1, 1, tzinfo=UTC), NOW, "as_of_in_1970"),
    ],
)
def test_the_reason(as_of: datetime | None, due: datetime | None, reason: str) -> None:
    assert quarantine_reasons(events(as_of, due)) == {reason: 1}


def test_questions_of_other_buckets_have_none() -> None:
    assert quarantine_reasons(events(NOW, NOW, bucket=60)) == {}
