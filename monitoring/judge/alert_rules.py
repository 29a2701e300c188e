"""Which alerts there are, and with which thresholds: the catalogue, changed by the pipeline files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from contract.alert_catalogue import ALERTS, measure_of
from contract.alert_types import AlertDefault, FromPipeline, Measure, Side
from contract.pipeline import AlertSettings, Pipeline
from monitoring.judge.reading import Reading

Finding: TypeAlias = Literal["good", "bad", "inconclusive", "no_data", "unknown"]
_LENIENCE: Final = {"ok": 0, "keep": 1, "firing": 2}
_OWN_REMEDY: Final = "It is an alert of the team's own: see what the pipeline file says beside it."


@dataclass(frozen=True)
class Rule:
    """One alert as it is judged. Without a threshold it never fires."""

    name: str
    measure: Measure
    side: Side
    threshold: float | None
    lasts: timedelta
    minimum: int
    severity: str
    no_data: str
    meaning: str
    remedy: str
    command: str
    slice: str = ""
    stage: str = ""
    is_off: bool = False
    is_against_model: bool = False
    is_note: bool = False

    def finding(self, reading: Reading | None) -> Finding:
        """What a reading says. One with an interval is bad only where the whole interval is on the wrong side."""
        if reading is None or self.threshold is None or (reading.count is not None and reading.count < self.minimum):
            return "no_data"
        if not reading.is_known:
            return "unknown"
        low = reading.value if reading.low is None else reading.low
        high = reading.value if reading.high is None else reading.high
        if self.side == "above":
            return "bad" if low > self.threshold else "good" if high <= self.threshold else "inconclusive"
        return "bad" if high < self.threshold else "good" if low >= self.threshold else "inconclusive"


def rules_of(pipeline: Pipeline) -> list[Rule]:
    """The alerts of one pipeline, in the order of the catalogue, its own ones last."""
    return [rule for rule in _all_rules(pipeline) if not rule.measure.of_stack]


def stack_rules(pipelines: Iterable[Pipeline]) -> list[Rule]:
    """The alerts of the whole stack, each by the strictest of the pipelines' settings."""
    found: dict[tuple[str, str, Side], Rule] = {}
    for pipeline in pipelines:
        for rule in _all_rules(pipeline):
            if rule.measure.of_stack:
                key = rule.name, rule.measure.name, rule.side
                found[key] = strictest(found[key], rule) if key in found else rule
    if not found:
        return [_from_default(default, None) for default in ALERTS.values() if default.measure.of_stack]
    return list(found.values())


def strictest(one: Rule, other: Rule) -> Rule:
    """Of two rules that differ in their settings: off only where both are, and of the rest whatever fires earlier."""
    if one.is_off or other.is_off:
        return other if one.is_off else one
    thresholds = [rule.threshold for rule in (one, other) if rule.threshold is not None]
    pick = min if one.side == "above" else max
    return replace(
        one,
        threshold=pick(thresholds) if thresholds else None,
        lasts=min(one.lasts, other.lasts),
        minimum=min(one.minimum, other.minimum),
        severity="critical" if "critical" in (one.severity, other.severity) else "warning",
        no_data=max(one.no_data, other.no_data, key=_LENIENCE.__getitem__),
    )


def _all_rules(pipeline: Pipeline) -> list[Rule]:
    stated: Mapping[str, AlertSettings] = {each.name: each for each in pipeline.monitoring.alerts}
    rules = [_changed(_from_default(default, pipeline), stated.get(name)) for name, default in ALERTS.items()]
    own = [_own(settings) for name, settings in stated.items() if name not in ALERTS]
    return rules + [rule for rule in own if rule is not None]


def _from_default(default: AlertDefault, pipeline: Pipeline | None) -> Rule:
    threshold = default.threshold
    if isinstance(threshold, FromPipeline):
        threshold_now = None if pipeline is None else threshold.of(pipeline)
    else:
        threshold_now = threshold
    return Rule(
        default.name,
        default.measure,
        default.side,
        threshold_now,
        default.lasts,
        default.minimum,
        default.severity,
        default.no_data,
        default.meaning,
        default.remedy,
        default.command,
        stage=default.stage,
        is_against_model=default.is_against_model,
        is_note=default.is_note,
    )


def _own(settings: AlertSettings) -> Rule | None:
    """An alert of the team's own. None: its metric is none, which `load` has refused."""
    measure = measure_of(settings.metric or "")
    if measure is None:
        return None
    side: Side = "above" if settings.below is None else "below"
    plain = Rule(
        settings.name,
        measure,
        side,
        None,
        timedelta(0),
        0,
        "warning",
        "keep",
        measure.meaning,
        _OWN_REMEDY,
        "./hotpath alerts list",
        is_note=True,
    )
    return _changed(plain, settings)


def _changed(rule: Rule, settings: AlertSettings | None) -> Rule:
    if settings is None:
        return rule
    bound = settings.above if settings.above is not None else settings.below
    return replace(
        rule,
        threshold=rule.threshold if bound is None else bound,
        lasts=rule.lasts if settings.lasts is None else settings.lasts,
        minimum=rule.minimum if settings.minimum is None else settings.minimum,
        slice=settings.slice or "",
        severity=settings.severity or rule.severity,
        no_data=settings.no_data or rule.no_data,
        is_off=settings.off,
    )


@dataclass(frozen=True)
class Judged:
    """A rule beside one reading: None where there is none."""

    rule: Rule
    reading: Reading | None
    finding: Finding

    @property
    def item(self) -> str:
        return self.reading.item if self.reading else ""


def judged(rule: Rule, readings: Sequence[Reading]) -> list[Judged]:
    """One for each reading; one without, where there is none."""
    if not readings:
        return [Judged(rule, None, "no_data")]
    return [Judged(rule, reading, rule.finding(reading)) for reading in readings]
