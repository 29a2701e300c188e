"""`[monitoring.alerts.NAME]`: its keys, and how such a table is read and held against the catalogue of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract.alert_catalogue import ALERTS, FIGURE_WORDS, measure_of, measures
from contract.alert_types import Measure
from contract.pipeline import AlertSettings
from streaming.pipeline_file.diagnostics import Problems, did_you_mean
from streaming.pipeline_file.durations import parse_duration
from streaming.pipeline_file.value_types import BOOLEAN, DURATION, NAME, ValueType, integer, last_part, one_of, shown


@dataclass(frozen=True)
class AlertKey:
    """A key of an alert's table; `field` is its name in `AlertSettings`."""

    name: str
    field: str
    kind: ValueType
    default: str
    meaning: str


def _read_text(value: object, path: str, problems: Problems) -> object:
    if not isinstance(value, str) or not value.strip():
        problems.add(path, f"{last_part(path)}: must be text in quotes, not {shown(value)}")
        return None
    return value.strip()


def _read_threshold(value: object, path: str, problems: Problems) -> object:
    """A number; a duration is its seconds."""
    if isinstance(value, str):
        try:
            return parse_duration(value).total_seconds()
        except ValueError as error:
            problems.add(path, f"{last_part(path)}: {error}")
            return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= 1e18:
        problems.add(path, f"{last_part(path)}: must be a number or a duration, not {shown(value)}")
        return None
    return float(value)


_TEXT: Final = ValueType("text", _read_text)
_THRESHOLD: Final = ValueType("number; of a metric in seconds also a duration", _read_threshold)
_AS_DEFAULT: Final = "that of the alert NAME"

ALERT_KEYS: Final = (
    AlertKey(
        "metric",
        "metric",
        _TEXT,
        f"{_AS_DEFAULT}; **required** for a NAME of your own",
        "What is measured: a metric of the alerts in [operations](operations.md#alerts), or a gauge or counter of "
        "[metrics](metrics.md) (of a counter its increase in ten minutes).",
    ),
    AlertKey(
        "above",
        "above",
        _THRESHOLD,
        _AS_DEFAULT,
        "It fires when the metric is above; of a figure with an interval, when the whole 90 % interval is.",
    ),
    AlertKey("below", "below", _THRESHOLD, _AS_DEFAULT, "The same for a metric that is too low. One of the two."),
    AlertKey("for", "lasts", DURATION, f"{_AS_DEFAULT}, else 0s", "How long it must have been so before it fires."),
    AlertKey(
        "minimum",
        "minimum",
        integer(0, 10**12),
        f"{_AS_DEFAULT}, else 0",
        "Fewer records, answers or outcomes (the metric says which) tell nothing.",
    ),
    AlertKey(
        "slice",
        "slice",
        _TEXT,
        "none",
        'Of a realised figure: a slice (each level of it by itself), or one level, as `"origin=JFK"`.',
    ),
    AlertKey(
        "severity",
        "severity",
        one_of("warning", "critical"),
        f"{_AS_DEFAULT}, else warning",
        "What its messages say of how bad it is.",
    ),
    AlertKey(
        "no_data",
        "no_data",
        one_of("ok", "firing", "keep"),
        f"{_AS_DEFAULT}, else keep",
        "What it means when the metric is not there: all is well, it fires, or it stays as it was.",
    ),
    AlertKey("off", "off", BOOLEAN, "false", "Whether this alert is left out."),
)


def _read_alerts(value: object, path: str, problems: Problems) -> object:
    """A tuple of the alerts whose tables were right."""
    if not isinstance(value, dict):
        problems.add(path, f"alerts are written as [monitoring.alerts.NAME], not as {shown(value)}")
        return None
    read = [_read_alert(name, table, f"{path}.{name}", problems) for name, table in value.items()]
    return tuple(alert for alert in read if alert is not None)


def _read_alert(name: str, table: object, path: str, problems: Problems) -> AlertSettings | None:
    before = len(problems.found)
    NAME.read(name, path, problems)
    if not isinstance(table, dict):
        problems.add(path, f"{name}: an alert is a table, not {shown(table)}")
        return None
    known = [key.name for key in ALERT_KEYS]
    for key in table.keys() - set(known):
        problems.add(f"{path}.{key}", f'unknown key "{key}"{did_you_mean(key, known)}')
    values: dict[str, Any] = {
        key.field: key.kind.read(table[key.name], f"{path}.{key.name}", problems)
        for key in ALERT_KEYS
        if key.name in table
    }
    if len(problems.found) > before:
        return None
    settings = AlertSettings(name, **values)
    _check(settings, table, path, problems)
    return settings if len(problems.found) == before else None


ALERT_TABLES: Final = ValueType("tables of alerts, by name", _read_alerts)


def _check(alert: AlertSettings, table: Mapping[str, object], path: str, problems: Problems) -> None:
    measure = _measure(alert, path, problems)
    if measure is None:
        return
    _check_side(alert, path, problems)
    for side in ("above", "below"):
        if isinstance(table.get(side), str) and measure.unit != "s":
            problems.add(f"{path}.{side}", f"{side}: {measure.name} is not in seconds; write a number ({measure.unit})")
    if alert.minimum and not measure.counts:
        problems.add(f"{path}.minimum", f"minimum: {measure.name} rests on no count; leave it out")
    if alert.slice is not None and not measure.is_realised:
        problems.add(f"{path}.slice", f"slice: {measure.name} is not measured by slices; only realised figures are")


def _measure(alert: AlertSettings, path: str, problems: Problems) -> Measure | None:
    default = ALERTS.get(alert.name)
    if default is None and alert.metric is None:
        near = did_you_mean(alert.name, ALERTS)
        problems.add(path, f'{alert.name}: needs "metric", since it is none of hotpath\'s own alerts{near}')
        return None
    if default is not None and alert.metric not in (None, default.measure.name):
        problems.add(
            f"{path}.metric",
            f'metric: the alert "{alert.name}" measures {default.measure.name}; leave it out, or choose another name',
        )
        return None
    found = default.measure if default is not None else measure_of(alert.metric or "")
    if found is None:
        near = did_you_mean(alert.metric or "", measures())
        known = near or "; docs/operations.md and docs/metrics.md list those that there are"
        problems.add(f"{path}.metric", f'metric: there is no metric "{alert.metric}"{known}')
    return found


def _check_side(alert: AlertSettings, path: str, problems: Problems) -> None:
    stated = [side for side in ("above", "below") if getattr(alert, side) is not None]
    default = ALERTS.get(alert.name)
    if len(stated) == 2:
        problems.add(f"{path}.below", "an alert has above or below, not both; make two of it")
    elif not stated and default is None and not alert.off:
        problems.add(path, f'{alert.name}: needs "above" or "below": where the metric is not well')
    elif stated and default is not None and stated[0] != default.side:
        text = f'{stated[0]}: the alert "{alert.name}" says {default.side}; write that, or choose another name'
        problems.add(f"{path}.{stated[0]}", text)


def check_alerts(monitoring: Mapping[str, Any], slices: tuple[str, ...], problems: Problems) -> None:
    """What can be told only beside the rest of the file: slices, and what is stated twice."""
    for alert in monitoring.get("alerts") or ():
        path = f"monitoring.alerts.{alert.name}"
        measure = measure_of(alert.metric) if alert.metric else ALERTS[alert.name].measure
        if alert.slice is not None and measure is not None and measure.is_realised:
            _check_slice(alert.slice, slices, path, problems)
        _check_floor(alert, monitoring.get("floors") or {}, path, problems)
        if alert.name == "model_age" and alert.above is not None and "max_model_age" in monitoring:
            problems.add(path, "model_age: its threshold is also stated as [monitoring] max_model_age; state it once")


def _check_floor(alert: AlertSettings, floors: Mapping[str, float], path: str, problems: Problems) -> None:
    is_stated = (alert.above, alert.below) != (None, None)
    if alert.name in floors and is_stated:
        problems.add(path, f"{alert.name}: its threshold is also stated in [monitoring] floors; state it once")
    elif alert.name in FIGURE_WORDS and alert.name not in floors and not is_stated and not alert.off:
        side = ALERTS[alert.name].side
        problems.add(path, f'{alert.name}: needs "{side}", or [monitoring] floors with it: without, it never fires')


def _check_slice(text: str, slices: tuple[str, ...], path: str, problems: Problems) -> None:
    name, _, level = text.partition("=")
    if name not in slices:
        there = did_you_mean(name, slices) or f"; there are: {', '.join(slices) or 'none'}"
        problems.add(f"{path}.slice", f'slice: there is no slice "{name}"{there}')
    elif "=" in text and not level:
        problems.add(f"{path}.slice", f'slice: "{text}" names no level; leave the = out for all of them')
