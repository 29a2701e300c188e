"""Tables of the status page: realised figures with their intervals and floors, and slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from contract.alert_catalogue import FIGURE_WORDS
from contract.pipeline import Pipeline
from monitoring.judge.alert_rules import Finding, Rule, rules_of
from monitoring.judge.model_health import OfLevel, Realised
from monitoring.judge.reading import Reading

LEVELS_SHOWN: Final = 8
"""Of each slice, those with the worst AUC."""


@dataclass(frozen=True)
class FigureRow:
    """A realised figure with its 90 % interval; `limit` in words, empty without one, and what comes of it."""

    name: str
    value: float
    low: float
    high: float
    limit: str
    finding: Finding

    @property
    def said(self) -> str:
        """What comes of it, in words; empty without a limit."""
        words = {"good": "met", "bad": "not met"}
        return words.get(self.finding, self.finding) if self.limit else ""


def figure_rows(pipeline: Pipeline, realised: Realised | None) -> list[FigureRow]:
    """Every figure of all that was served, those with a limit first, one row for each limit."""
    if realised is None:
        return []
    rules = [rule for rule in rules_of(pipeline) if _limits_all(rule)]
    limited = [_row(realised, rule.measure.name, rule) for rule in rules if rule.measure.name in realised.figures]
    names = {rule.measure.name for rule in rules}
    return limited + [_row(realised, name, None) for name in realised.figures if name not in names]


def _limits_all(rule: Rule) -> bool:
    """A figure of all that is served, not of one slice."""
    return rule.measure.name in FIGURE_WORDS and rule.threshold is not None and not rule.slice and not rule.is_off


def _row(realised: Realised, name: str, rule: Rule | None) -> FigureRow:
    figure = realised.figures[name]
    if rule is None:
        return FigureRow(FIGURE_WORDS[name], figure.value, figure.low, figure.high, "", "good")
    reading = Reading(figure.value, "", low=figure.low, high=figure.high)
    limit = f"{'at most' if rule.side == 'above' else 'at least'} {rule.threshold:g}"
    return FigureRow(FIGURE_WORDS[name], figure.value, figure.low, figure.high, limit, rule.finding(reading))


@dataclass(frozen=True)
class SliceTable:
    """The levels of one slice, the worst AUC first; `left_out` more are not shown."""

    name: str
    levels: Sequence[OfLevel]
    left_out: int


def slice_tables(levels: Sequence[OfLevel]) -> list[SliceTable]:
    """By the names of slices."""
    return list(_tables(sorted(levels, key=lambda each: (each.slice, each.realised.auc))))


def _tables(ordered: Sequence[OfLevel]) -> Iterator[SliceTable]:
    for name, group in groupby(ordered, key=lambda each: each.slice):
        levels = list(group)
        yield SliceTable(name, levels[:LEVELS_SHOWN], max(0, len(levels) - LEVELS_SHOWN))
