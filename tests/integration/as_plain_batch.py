"""Whether a lake's built tables and counts are what one plain batch over all its records says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from contract.records import IDENTITY
from streaming.lake.delta_tables import opened
from streaming.rows.state_counts import counts_of, state_counts
from tests.integration.plain_batch import State, is_late, plain_batch
from tests.integration.small_lake import Lake

TOPIC_OF = {"rows": "asked", "outcomes": "world.predictions"}


def assert_as_plain_batch(lake: Lake, closed_to_s: float, missing: bool | None = None) -> None:
    """Rows, outcomes and counts are those of a plain batch over all that was committed."""
    for table in TOPIC_OF:
        assert_states(lake, table, closed_to_s, missing)
    assert question_count(lake) == sum(state_counts(lake.places, lake.pipeline).values())


def assert_states(
    lake: Lake,
    table: str,
    closed_to_s: float,
    missing: bool | None = None,
    positive: Callable[[float], bool] = is_late,
) -> None:
    """One built table and its counts."""
    wanted = plain_batch(lake.committed, TOPIC_OF[table], missing, closed_to_s, positive)
    built = lake.rows(table)
    found = {_place(row): State(row["state"], row["label"], _seconds(row["label_append_time"])) for row in built}
    assert found == {p: s for p, s in wanted.items() if s.state not in ("waiting", "quarantined")}
    assert len(found) == len(built), "a record was built twice"
    counted = state_counts(lake.places, lake.pipeline) if table == "rows" else outcome_counts(lake)
    assert Counter(counted) == Counter(state.state for state in wanted.values())


def outcome_counts(lake: Lake) -> dict[str, int]:
    """Logged predictions by state, hypothetical ones left out."""
    name = lake.pipeline.name
    return counts_of(lake.places.table(name, "predictions"), lake.places.table(name, "outcomes"))


def question_count(lake: Lake) -> int:
    """Distinct records of `events`: what the states must sum up to."""
    columns = [*IDENTITY, "bucket"]
    with opened(lake.places.table(lake.pipeline.name, "events")) as events:
        return int(events.to_pyarrow_table(columns=columns).group_by(columns).aggregate([]).num_rows)


def _place(row: dict[str, Any]) -> tuple[float | None, int, int]:
    return (_seconds(row["append_time"]), row["partition"], row["offset"])


def _seconds(stamp: datetime | None) -> float | None:
    return None if stamp is None else round(stamp.timestamp(), 3)
