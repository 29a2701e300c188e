"""Which alert explains which others: what one broken thing brings about is told in its message, and not by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from monitoring.alerts.alert_entry import OF_THE_STACK, Entry

_STANDS: Final = ("mirror_blind", "mirror_lag", "batch_stall", "tables_lag", "tables_unknown", "rows_lag")
"""What stands behind a broker or a reader that is away, in the order of the flow."""
_FAILS: Final = (
    "step_failing", "query_ends", "part_silent", "own_part_silent", "part_ended", "part_restarts", "own_part_restarts",
)  # fmt: skip
_LATER: Final = ("no_traffic", "no_labels", "undecided", "model_age", "training_stands", "training_failures")


@dataclass(frozen=True)
class Cause:
    """An alert, about one of these items where they are given, explains these symptoms."""

    alert: str
    items: tuple[str, ...]
    explains: tuple[str, ...]
    of_same_item: bool = False
    """Only where both are about the same part."""

    def explains_this(self, cause: Entry, symptom: Entry) -> bool:
        is_cause = cause.alert == self.alert and (not self.items or cause.item in self.items)
        return is_cause and symptom.alert in self.explains and (not self.of_same_item or cause.item == symptom.item)


CAUSES: Final = (
    Cause(
        "engine_down",
        ("kafka-onprem",),
        (*_STANDS, *_FAILS, *_LATER, "states_unsent", "predictions_on_disk", "predictions_lost", "replay_lag"),
    ),
    Cause("engine_down", ("kafka-cloud",), (*_STANDS, *_FAILS, *_LATER)),
    Cause(
        "engine_down",
        ("hdfs",),
        (*_STANDS[2:], *_FAILS, *_LATER, "outcomes_unread", "pull_failures", "blocks_missing"),
    ),
    Cause(
        "engine_down", ("h2o",), ("training_failures", "training_stands", "model_age", "part_silent", "part_restarts")
    ),
    Cause(
        "disk", (), ("engine_down", *_STANDS, *_FAILS, *_LATER, "influx_down", "outcomes_unread", "predictions_lost")
    ),
    Cause("hdfs_space", (), (*_STANDS[2:], *_FAILS, *_LATER)),
    Cause("part_silent", ("watcher",), ("mirror_blind", "mirror_lag", "tables_lag", "tables_unknown", "rows_lag")),
    Cause("part_silent", ("streaming",), ("batch_stall", "tables_lag", "tables_unknown", "rows_lag", "step_failing")),
    Cause("part_silent", ("trainer",), ("training_stands", "model_age")),
    Cause("part_restarts", (), ("part_ended", "part_silent"), of_same_item=True),
    Cause("part_ended", (), ("part_silent", "own_part_silent"), of_same_item=True),
    Cause("part_restarts", ("mirror",), ("mirror_lag", "tables_lag", "rows_lag")),
    Cause("part_restarts", ("streaming",), ("batch_stall", "tables_lag", "tables_unknown", "rows_lag")),
    Cause("part_restarts", ("kafka-onprem", "kafka-cloud"), _STANDS),
    Cause("part_restarts", ("namenode", "datanode"), (*_STANDS[2:], "outcomes_unread", "pull_failures")),
    Cause("mirror_blind", (), ("mirror_lag", "tables_lag", "tables_unknown", "rows_lag")),
    Cause("mirror_lag", (), ("tables_lag", "rows_lag", "no_traffic", "no_labels")),
    Cause("step_failing", (), ("batch_stall", "tables_lag", "rows_lag", "query_ends")),
    Cause("query_ends", (), ("batch_stall", "tables_lag", "rows_lag")),
    Cause("batch_stall", (), ("tables_lag", "rows_lag")),
    Cause("tables_lag", (), ("rows_lag",)),
    Cause("import_open", (), ("mirror_lag", "tables_lag", "rows_lag", "model_age")),
    Cause("rows_lag", (), ("training_stands", "model_age")),
    Cause("training_failures", (), ("training_stands", "model_age")),
    Cause("training_stands", (), ("model_age",)),
    Cause("pull_failures", (), ("model_age",)),
    Cause("pinned", (), ("model_age",)),
    Cause("no_traffic", (), ("undecided",)),
    Cause("no_labels", (), ("undecided",)),
    Cause("rows_lag", (), ("undecided",)),
    Cause("outcomes_unread", (), ("undecided",)),
    Cause("clock_ahead", (), ("quarantined",)),
    Cause("clock_behind", (), ("quarantined",)),
    Cause("scorer_cannot_start", (), ("no_model", "scorer_silent")),
    Cause("own_part_restarts", (), ("own_part_silent", "part_ended"), of_same_item=True),
)
"""In the order in which a symptom looks for its cause."""


def causes_of(symptom: Entry, entries: Iterable[Entry]) -> list[Entry]:
    """The entries that explain this one: of the same pipeline or of the stack, firing or about to."""
    there = [
        entry
        for entry in entries
        if entry.state in ("firing", "pending")
        and entry.pipeline in (symptom.pipeline, OF_THE_STACK)
        and entry.key != symptom.key
    ]
    return [entry for each in CAUSES for entry in there if each.explains_this(entry, symptom)]


def explained_by(cause: Entry, entries: Collection[Entry]) -> Iterator[Entry]:
    """What this one explains, also by way of others, in the order of the entries."""
    reached, found = [cause], set[tuple[str, str, str]]()
    while reached:
        now = reached.pop()
        for entry in entries:
            is_new = entry.key not in found and entry.key != cause.key
            if is_new and entry.state in ("firing", "pending") and now in causes_of(entry, [now]):
                found.add(entry.key)
                reached.append(entry)
    return (entry for entry in entries if entry.key in found)
