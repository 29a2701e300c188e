"""Turns of the monitor as tests make them up: readings by the names of alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from contract.pipeline import Pipeline
from monitoring.alerts.alert_book import AlertBook
from monitoring.alerts.silences import Silence
from monitoring.judge.alert_rules import Judged, Rule, judged, rules_of, stack_rules
from monitoring.judge.reading import Reading
from tests.monitoring.judge.looks import PIPELINE

NOW_S = 1_795_252_000.0
Values = Mapping[str, float | Mapping[str, float] | Reading | None]
"""Alert -> its value, its values by item, a whole reading; None: no reading."""


def readings(name: str, value: float | Mapping[str, float] | Reading | None) -> list[Reading]:
    if value is None:
        return []
    if isinstance(value, Reading):
        return [value]
    by_item = {"": value} if isinstance(value, float | int) else value
    return [Reading(each, f"{name} is {each:g}", item, count=1e9) for item, each in by_item.items()]


def judged_of(rules: Iterable[Rule], values: Values) -> list[Judged]:
    """The rules that are named; the others are well and say nothing."""
    return [
        each for rule in rules if rule.name in values for each in judged(rule, readings(rule.name, values[rule.name]))
    ]


def turn(
    book: AlertBook,
    values: Values,
    now_s: float = NOW_S,
    silences: Sequence[Silence] = (),
    pipeline: Pipeline = PIPELINE,
) -> None:
    """One turn over one pipeline and the stack."""
    found = {
        pipeline.name: judged_of(rules_of(pipeline), values),
        "": judged_of(stack_rules([pipeline]), values),
    }
    book.update(now_s, found, {pipeline.name}, silences)


def said(book: AlertBook) -> list[tuple[str, str]]:
    """(state, code), the oldest first."""
    return [(told.message.state, told.message.code) for told in reversed(book.told)]
