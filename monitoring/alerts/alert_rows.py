"""Every alert as it stands, for the page, for `hotpath alerts list` and as the series `hotpath_alert_state`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitoring.alerts.alert_entry import Entry, command_of
from monitoring.alerts.alert_messages import moment
from monitoring.alerts.causes import causes_of
from monitoring.alerts.silences import Silence, silenced_until
from monitoring.judge.alert_rules import Judged, Rule

MOST_ITEMS: Final = 20
"""Of one alert, so many hosts or topics are listed."""
NUMBERS: Final = {
    "ok": 0, "resolved": 0, "no data": 0, "pending": 1, "firing": 2, "inconclusive": 3, "silenced": 4, "explained": 5,
}  # fmt: skip
"""What `hotpath_alert_state` shows; `explained` is firing, and told by the alert that explains it."""
_WORST_FIRST: Final = ("firing", "silenced", "pending", "inconclusive")


@dataclass(frozen=True)
class AlertRow:
    """One alert about one thing. `state` may also be `no data`, `off`, or `silenced`, which is firing all the same."""

    pipeline: str
    alert: str
    item: str
    state: str
    severity: str
    text: str
    value: float | None
    low: float | None
    high: float | None
    count: float | None
    threshold: float | None
    side: str
    unit: str
    since: str | None
    silenced_by: str | None
    silenced_until: str | None
    explained_by: str | None
    command: str


def rows_of(
    pipeline: str,
    rules: Iterable[Rule],
    judged: Sequence[Judged],
    entries: Sequence[Entry],
    others: Sequence[Entry],
    silences: Sequence[Silence],
    now_s: float,
) -> list[AlertRow]:
    """In the order of the rules. `others`: all entries that may explain these."""
    by_rule: dict[str, list[Judged]] = {}
    for each in judged:
        by_rule.setdefault(each.rule.name, []).append(each)
    found = []
    for rule in rules:
        own = [entry for entry in entries if entry.alert == rule.name][:MOST_ITEMS]
        if own:
            found += [_of_entry(rule, entry, others, silences, now_s) for entry in own]
        else:
            found.append(_of_reading(pipeline, rule, by_rule.get(rule.name, ()), silences, now_s))
    return found


def _of_entry(rule: Rule, entry: Entry, others: Sequence[Entry], silences: Sequence[Silence], now_s: float) -> AlertRow:
    silence = silenced_until(silences, *entry.key, now_s)
    is_silenced = silence is not None and entry.state == "firing"
    cause = next(iter(causes_of(entry, others)), None) if entry.state == "firing" and not entry.is_told else None
    return AlertRow(
        entry.pipeline,
        rule.name,
        entry.item,
        "silenced" if is_silenced else entry.state,
        rule.severity,
        entry.text,
        entry.value,
        entry.low,
        entry.high,
        entry.count,
        rule.threshold,
        rule.side,
        rule.measure.unit,
        moment(entry.began_s),
        *_words(silence),
        cause.code if cause else None,
        entry.command,
    )


def _of_reading(
    pipeline: str, rule: Rule, judged: Sequence[Judged], silences: Sequence[Silence], now_s: float
) -> AlertRow:
    """One that is ok, by the reading that is nearest to its threshold."""
    readings = [each.reading for each in judged if each.reading is not None]
    pick = max if rule.side == "above" else min
    worst = pick(readings, key=lambda reading: reading.value) if readings else None
    is_off = rule.is_off or rule.threshold is None
    is_known = rule.no_data == "ok" or any(each.finding == "good" for each in judged)
    return AlertRow(
        pipeline,
        rule.name,
        worst.item if worst and len(readings) > 1 else "",
        "off" if is_off else "ok" if is_known else "no data",
        rule.severity,
        rule.meaning,
        worst.value if worst else None,
        worst.low if worst else None,
        worst.high if worst else None,
        worst.count if worst else None,
        rule.threshold,
        rule.side,
        rule.measure.unit,
        None,
        *_words(silenced_until(silences, pipeline, rule.name, worst.item if worst else "", now_s)),
        None,
        command_of(rule, pipeline, worst.item if worst else "PART", worst.command if worst else ""),
    )


def _words(silence: Silence | None) -> tuple[str | None, str | None]:
    return (None, None) if silence is None else (silence.who, moment(silence.until_s))


def numbers_of(rows: Iterable[AlertRow]) -> Mapping[tuple[str, str, str], float]:
    """Pipeline, alert and severity -> the state of its worst item; those that are off are left out."""
    by_alert: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        if row.state != "off":
            state = "explained" if row.explained_by and row.state == "firing" else row.state
            by_alert.setdefault((row.pipeline, row.alert, row.severity), set()).add(state)
    return {key: float(NUMBERS[_worst(states)]) for key, states in by_alert.items()}


def _worst(states: set[str]) -> str:
    ranked = (_WORST_FIRST[0], "explained", *_WORST_FIRST[1:])
    return next((state for state in ranked if state in states), "ok")


def open_rows(rows: Iterable[AlertRow]) -> Iterator[AlertRow]:
    """What the page shows: all but those that are well, off, or without data."""
    return (row for row in rows if row.state in (*_WORST_FIRST, "resolved") or row.silenced_until)
