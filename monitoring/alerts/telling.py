"""Which messages a turn sends: one for each thing that is broken, with what it explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from monitoring.alerts.alert_entry import Entry, Key
from monitoring.alerts.alert_messages import Message, message, moment
from monitoring.alerts.alert_states import AlertStates
from monitoring.alerts.causes import causes_of, explained_by
from monitoring.alerts.silences import Silence, silenced_until
from monitoring.judge.alert_rules import Rule

RECOVERS_S: Final = 60.0
"""So long after its cause has resolved, what was explained may go on before it is told by itself."""
Because: TypeAlias = Callable[[Rule, Sequence[Entry]], Sequence[str]]


def messages(
    states: AlertStates,
    before: Mapping[Key, Entry],
    rules: Mapping[tuple[str, str], Rule],
    silences: Sequence[Silence],
    because: Because,
    now_s: float,
) -> list[Message]:
    """What is to be said after a turn. `before`: what fired and was told before it; `rules` by pipeline and name."""
    found = [*_resolved(states, before, rules, now_s)]
    for same in _together(_to_be_told(states, silences, now_s)):
        rule = rules.get((same[0].pipeline, same[0].alert))
        if rule is None:
            continue
        explained = _explained(same, list(states.entries.values()))
        found.append(message(rule, same, "firing", now_s, explained, because(rule, same)))
        for entry in same:
            entry.is_told = True
    return found


def _to_be_told(states: AlertStates, silences: Sequence[Silence], now_s: float) -> Iterator[Entry]:
    """Those that fire, were not told, are not silenced, and that nothing else explains."""
    entries = list(states.entries.values())
    for entry in entries:
        if entry.state != "firing" or entry.is_told:
            continue
        if silenced_until(silences, *entry.key, now_s) is not None:
            continue
        causes = causes_of(entry, entries)
        if any(cause.state == "firing" for cause in causes):
            entry.freed_s = now_s
        if causes:
            continue
        if entry.freed_s is None or now_s - entry.freed_s >= RECOVERS_S:
            yield entry


def _explained(causes: Sequence[Entry], entries: Sequence[Entry]) -> list[Entry]:
    own = {entry.key for entry in causes}
    found = {each.key: each for cause in causes for each in explained_by(cause, entries)}
    return [entry for key, entry in found.items() if key not in own]


def _resolved(
    states: AlertStates, before: Mapping[Key, Entry], rules: Mapping[tuple[str, str], Rule], now_s: float
) -> Iterator[Message]:
    """Those that were told and fire no more; of a rule that is gone, too."""
    over = [entry for key, entry in before.items() if not _fires(states.entries.get(key))]
    for same in _together(over):
        rule = rules.get((same[0].pipeline, same[0].alert))
        if rule is not None:
            yield message(rule, same, "resolved", now_s)
        else:
            first = same[0]
            text, items = first.text, tuple(entry.item for entry in same if entry.item)
            yield Message(
                first.pipeline, first.code, "resolved", text, moment(now_s), first.command, first.alert, items=items
            )


def _fires(entry: Entry | None) -> bool:
    return entry is not None and entry.state == "firing"


def _together(entries: Iterable[Entry]) -> list[list[Entry]]:
    """By pipeline and alert."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.pipeline, entry.alert), []).append(entry)
    return list(found.values())
