"""What the monitor reads from the tables: outcomes, and provisional ones before their bucket is built."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from contract.layout import Places
from contract.pipeline import Pipeline
from streaming.lake.delta_tables import opened


@dataclass(frozen=True, slots=True)
class Outcome:
    """One prediction whose label is known; `due_s` in seconds since 1970."""

    model: str
    due_s: float
    probability: float
    label: bool


@dataclass
class OutcomeReader:
    """The outcomes of one pipeline; read again only when the table has a new version."""

    places: Places
    pipeline: Pipeline
    _version: int = -1
    _outcomes: list[Outcome] = field(default_factory=list)

    def read(self, since_s: float) -> list[Outcome]:
        """Outcomes with a label, due since a moment; none while there is no table."""
        try:
            with opened(self.places.table(self.pipeline.name, "outcomes")) as table:
                self._read(table, since_s)
        except TableNotFoundError:
            return []
        return self._outcomes

    def _read(self, table: DeltaTable, since_s: float) -> None:
        if table.version() == self._version:
            return
        columns = ["model", "due", "probability", "label"]
        filters = [("state", "=", "row"), ("bucket", ">=", int(since_s))]
        self._outcomes = _outcomes(table.to_pyarrow_table(columns=columns, filters=filters))
        self._version = table.version()


def _outcomes(table: pa.Table) -> list[Outcome]:
    columns = (table[name].to_pylist() for name in ("model", "due", "probability", "label"))
    return [Outcome(model, due.timestamp(), p, label) for model, due, p, label in zip(*columns, strict=True)]
