"""One alert about one thing, from the first bad reading until an hour after it has resolved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import msgspec

from monitoring.judge.alert_rules import Judged, Rule
from monitoring.judge.stage import Problem
from monitoring.judge.wording import in_words, printable

OF_THE_STACK: Final = ""
"""Stands for the pipeline in an alert that belongs to none."""
State: TypeAlias = Literal["ok", "pending", "firing", "resolved", "inconclusive"]
Key: TypeAlias = tuple[str, str, str]
"""Pipeline, alert, item."""
LONGEST_CALM_S: Final = 30.0
SHOWN_RESOLVED_S: Final = 3600.0
MOST_EACH: Final = 5
"""Of so many items each is told by itself; of more, they are told together."""


class Entry(msgspec.Struct):
    """Where it stands. Moments are in seconds since 1970."""

    pipeline: str
    alert: str
    item: str
    state: State
    began_s: float
    """Since when it has not been well, or is not known; of one that has resolved, when it did."""
    fired_s: float | None = None
    good_since_s: float | None = None
    """A firing one: since when its readings have been good again."""
    freed_s: float | None = None
    """One that something else explained: when that had resolved."""
    is_told: bool = False
    text: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    count: float | None = None
    threshold: float | None = None
    command: str = ""
    stage: str = ""

    @property
    def key(self) -> Key:
        return self.pipeline, self.alert, self.item

    @property
    def code(self) -> str:
        return f"{self.alert}:{self.item}" if self.item else self.alert

    def take(self, judged: Judged, pipeline: str) -> None:
        """What the newest reading says; without one, the last stays."""
        self.threshold = judged.rule.threshold
        if judged.reading is None:
            return
        reading = judged.reading
        self.value, self.low, self.high, self.count = reading.value, reading.low, reading.high, reading.count
        self.text = reading.text + _limit(judged.rule)
        self.command = command_of(judged.rule, pipeline, reading.item, reading.command)
        self.stage = reading.stage or judged.rule.stage


def _limit(rule: Rule) -> str:
    """For sentences that are told with their threshold."""
    if not rule.measure.limit_word or rule.threshold is None:
        return ""
    shown = in_words(rule.threshold) if rule.measure.unit == "s" else f"{rule.threshold:g}"
    return f", the {rule.measure.limit_word} is {shown}"


def command_of(rule: Rule, pipeline: str, item: str, stated: str = "") -> str:
    """What looks closer."""
    return stated or rule.command.replace("{pipeline}", pipeline).replace("{item}", item)


def begun(pipeline: str, judged: Judged, state: State, now_s: float) -> Entry:
    """A new entry."""
    text = f"{judged.rule.name}: there is no reading of {judged.rule.measure.name}"
    entry = Entry(pipeline, judged.rule.name, judged.item, state, now_s, text=text, stage=judged.rule.stage)
    entry.command = command_of(judged.rule, pipeline, judged.item)
    entry.take(judged, pipeline)
    return entry


@dataclass(frozen=True)
class Combined:
    """What several entries of one alert say together."""

    code: str
    text: str
    command: str
    items: tuple[str, ...]


def combined(entries: Sequence[Entry]) -> Combined:
    """The one that is furthest off speaks for all; the others are named, as far as a line can hold them."""
    worst = max(entries, key=_distance)
    items = tuple(sorted(entry.item for entry in entries if entry.item))
    if len(entries) == 1:
        return Combined(worst.code, worst.text, worst.command, items)
    others = [printable(item) for item in items if item != worst.item]
    named = ", ".join(others[:MOST_EACH]) + (", ..." if len(others) > MOST_EACH else "")
    text = f"{worst.text}; and {len(others)} more: {named}"
    return Combined(worst.alert, text, worst.command, items)


def _distance(entry: Entry) -> float:
    """How far a value is from its threshold."""
    if entry.value is None or entry.threshold is None:
        return 0.0
    return abs(entry.value - entry.threshold)


def problems_of(entries: Iterable[Entry]) -> list[tuple[str, Problem]]:
    """Each with its stage; many of one alert are one."""
    by_alert: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        by_alert.setdefault((entry.alert, entry.stage), []).append(entry)
    found = []
    for (_, stage), same in by_alert.items():
        groups = [same] if len(same) > MOST_EACH else [[entry] for entry in same]
        for each in map(combined, groups):
            found.append((stage, Problem(each.code, each.text, each.command)))
    return found
