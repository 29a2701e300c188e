"""Which slices, hosts, features and people explain an alert of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from contract.alert_catalogue import CEILINGS
from monitoring.alerts.alert_entry import Entry
from monitoring.judge.alert_rules import Rule
from monitoring.judge.model_health import OfLevel
from monitoring.judge.model_readings import beyond
from monitoring.judge.wording import printable

MOST: Final = 5
OF_DATA: Final = ("clock_ahead", "clock_behind", "drift")
"""Alerts about hosts and features that may explain a figure."""
OF_MODEL: Final = ("pinned", *OF_DATA)
"""Who holds which version by hand may explain one, too."""
BROUGHT_ABOUT: Final = ("quarantined", "no_traffic")
"""Alerts that hosts with a wrong clock may explain."""


def explanations(rule: Rule, by_slice: Iterable[OfLevel], firing: Iterable[Entry]) -> list[str]:
    """In sentences, the worst first."""
    if not rule.measure.is_realised and rule.name not in BROUGHT_ABOUT:
        return []
    slices, wanted = (_levels(rule, by_slice), OF_MODEL) if rule.measure.is_realised else ((), OF_DATA)
    ranked = sorted((entry for entry in firing if entry.alert in wanted), key=lambda entry: entry.alert != "pinned")
    return [*slices, *(entry.text for entry in ranked)][: 2 * MOST]


def _levels(rule: Rule, by_slice: Iterable[OfLevel]) -> Iterator[str]:
    """The levels whose whole interval is beyond the threshold; else, the worst one."""
    name = rule.measure.name
    ranked = sorted(by_slice, key=lambda each: each.realised.figures[name].value, reverse=name in CEILINGS)
    threshold = rule.threshold
    surely = [each for each in ranked if threshold is not None and beyond(name, each.realised, threshold)]
    for each in (surely or ranked[:1])[:MOST]:
        yield _sentence(name, each)


def _sentence(name: str, each: OfLevel) -> str:
    found = each.realised.figures[name]
    level = printable(f"{each.slice}={each.level}")
    return f"{level}: {found.value:.3f} ({found.low:.3f} to {found.high:.3f}) over {each.realised.outcomes} outcomes"
