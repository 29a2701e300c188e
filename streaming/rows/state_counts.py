"""How many questions are in which state; read without Spark."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import TableNotFoundError

from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import IDENTITY, OUTSIDE, STATES
from streaming.lake.delta_tables import add_actions, opened


def state_counts(places: Places, pipeline: Pipeline) -> dict[str, int]:
    """Questions by state; each of STATES is a key. A question is a distinct record of `events`."""
    rows = places.table(pipeline.name, f"rows-{pipeline.rows_hash}")
    return counts_of(places.table(pipeline.name, "events"), rows)


def counts_of(source: str, built: str) -> dict[str, int]:
    """Those of a built bucket by the state they were built in, those of OUTSIDE quarantined, the rest waiting."""
    asked = _distinct(source)
    inside = asked.filter(pc.not_equal(asked["bucket"], OUTSIDE))
    states = _read(built, [*IDENTITY, "state"])
    waiting = inside.num_rows if states is None else inside.join(states, list(IDENTITY), join_type="left anti").num_rows
    counts = Counter(dict.fromkeys(STATES, 0))
    counts.update([] if states is None else states["state"].to_pylist())
    counts.update(waiting=waiting, quarantined=asked.num_rows - inside.num_rows)
    return dict(counts)


def built_counts(url: str) -> dict[str, int]:
    """The records of a built table by state, from its log alone."""
    adds = add_actions(url)
    counts = Counter(dict.fromkeys(STATES, 0))
    for state, records in zip(adds["partition.state"].to_pylist(), adds["num_records"].to_pylist(), strict=True):
        counts[state] += records
    return dict(counts)


def _distinct(url: str) -> pa.Table:
    """`IDENTITY, bucket` of each record, once."""
    columns = [*IDENTITY, "bucket"]
    hypothetical = ["hypothetical"] if url.endswith("/predictions") else []
    records = _read(url, columns + hypothetical)
    if records is None:
        return pa.table({name: [] for name in columns})
    if hypothetical:
        records = records.filter(pc.invert(pc.fill_null(records["hypothetical"], False)))
    return records.select(columns).group_by(columns).aggregate([])


def _read(url: str, columns: list[str]) -> pa.Table | None:
    try:
        with opened(url) as table:
            return table.to_pyarrow_table(columns=columns)
    except TableNotFoundError:
        return None
