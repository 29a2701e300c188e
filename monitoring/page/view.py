"""Everything that the status page and `/status.json` show, as plain data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from contract.manifest import Manifest
from contract.pipeline import Pipeline
from contract.timestamps import rfc3339
from monitoring.alerts.alert_book import Told
from monitoring.alerts.alert_entry import Entry, problems_of
from monitoring.alerts.alert_rows import AlertRow, open_rows
from monitoring.judge.alert_rules import Rule
from monitoring.judge.model_health import OfLevel, Realised
from monitoring.judge.stage import Problem, Stage
from monitoring.judge.stages import broken, with_problems
from monitoring.judge.trust import Verdict, first_line, verdict
from monitoring.judge.trust_inputs import NOTHING_SEEN, TrustInputs
from monitoring.page.axes import Axis, fitted, time_axis
from monitoring.page.card_page import CardView
from monitoring.page.charts import Band, Line, Mark, chart
from monitoring.page.figure_tables import FigureRow, SliceTable, figure_rows, slice_tables

SHOWN_S = 3600
AUC_STEP, AGE_STEP_MIN = 0.02, 0.5
"""The least that the lines of a chart are apart."""


@dataclass(frozen=True)
class PipelineView:
    """One pipeline at one moment. `switches` are (time in seconds since 1970, version)."""

    pipeline: Pipeline
    seen: TrustInputs
    stages: Sequence[Stage]
    realised: Sequence[Realised]
    by_model: Mapping[str, Realised | None]
    provisional: Mapping[str, Realised | None]
    """By labels that are there already, before their bucket is built."""
    switches: Sequence[tuple[float, str]]
    ages: Sequence[tuple[float, float]]
    problems: Sequence[Problem] = ()
    """Those of the pipeline as a whole, which belong to no stage."""
    against: Sequence[Problem] = ()
    """Every reason not to trust the model."""
    notes: Sequence[Problem] = ()
    """What fires and is merely told: all may be well."""
    slices: Sequence[OfLevel] = ()
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    """Of the newest candidates, by version."""
    is_judged: bool = True
    """False: the monitor has failed to look at it; `problems` says why."""

    @property
    def headline(self) -> str:
        if not self.is_judged:
            return f"{self.pipeline.name}: not known yet whether the model can be trusted: {self.problems[0].text}."
        return first_line(self.pipeline, self.seen, self.against, self._trouble)

    @property
    def verdict(self) -> Verdict:
        """What the first line says, in one word: the colour of the headline."""
        return verdict(self.seen, self.against, self._trouble) if self.is_judged else "not_known"

    @property
    def _trouble(self) -> str | None:
        """The first thing that is broken, with the stage."""
        if not self.told:
            return None
        stage, problem = self.told[0]
        return f"{stage}: {problem.text}" if stage else problem.text

    @property
    def is_trusted(self) -> bool:
        return not self.against

    @property
    def is_well(self) -> bool:
        return self.is_trusted and self.first_broken is None and not self.problems

    @property
    def told(self) -> list[tuple[str, Problem]]:
        """(stage, problem) in the order of the flow; those of the pipeline as a whole first, with no stage."""
        own = [("", problem) for problem in self.problems]
        return own + [(stage.name, problem) for stage in broken(self.stages) for problem in stage.problems]

    @property
    def first_broken(self) -> Stage | None:
        return next(broken(self.stages), None)

    @property
    def models(self) -> list[tuple[str, Realised | None, Realised | None]]:
        """Version, realised and provisional figures; the newest models first."""
        versions = sorted(self.by_model.keys() | self.provisional.keys(), reverse=True)[:12]
        return [(version, self.by_model.get(version), self.provisional.get(version)) for version in versions]

    @property
    def cards(self) -> list[CardView]:
        """The scorecards of the newest candidates, the newest first."""
        newest = sorted(self.manifests.values(), key=lambda manifest: manifest.version, reverse=True)
        return [CardView(manifest, manifest.scorecard) for manifest in newest if manifest.scorecard is not None]

    @property
    def figures(self) -> list[FigureRow]:
        """The realised figures of all that is served, with their intervals and limits."""
        return figure_rows(self.pipeline, self.seen.realised)

    @property
    def slice_tables(self) -> list[SliceTable]:
        return slice_tables(self.slices)

    def auc_chart(self, now_s: float) -> str:
        """With its 90 % interval, and the floor where there is one."""
        overall = [(r.minute_s, r.auc) for r in self.realised]
        versions = [(r.minute_s, r.auc) for r in self.by_model.values() if r is not None]
        lines = [Line("realised AUC", overall, "auc"), Line("one version", versions, "version", dots=True)]
        marks = [Mark(time_s, f"switched to {version}") for time_s, version in self.switches]
        ends = [(r.minute_s, r.figures["auc"].low, r.figures["auc"].high) for r in self.realised if "auc" in r.figures]
        floor = self.pipeline.monitoring.floors.get("auc")
        time = time_axis([time_s for time_s, _ in overall + versions], now_s, SHOWN_S)
        shown = [value for time_s, value in overall + versions if time_s >= time.low]
        shown += [end for time_s, *both in ends if time_s >= time.low for end in both]
        values = fitted([*shown, *([] if floor is None else [floor])], AUC_STEP, 0.0, 1.0) or Axis(0.5, 1.0)
        return chart(lines, time, values, marks, floor, band=Band(ends, "interval"))

    def age_chart(self, now_s: float) -> str:
        minutes = [(time_s, age / 60) for time_s, age in self.ages]
        time = time_axis([time_s for time_s, _ in minutes], now_s, SHOWN_S)
        values = fitted([0.0, *(value for time_s, value in minutes if time_s >= time.low)], AGE_STEP_MIN)
        return chart([Line("age", minutes, "age")], time, values or Axis(0.0, 4 * AGE_STEP_MIN), unit=" min")

    def check(self, now_s: float) -> None:
        """Work out all that is shown, so that what cannot be raises here, and not when the whole page is made."""
        json.dumps(_pipeline_json(self), allow_nan=False)
        self.auc_chart(now_s)
        self.age_chart(now_s)


def with_alerts(
    view: PipelineView, rules: Iterable[Rule], firing: Sequence[Entry], of_stack: Sequence[Entry]
) -> PipelineView:
    """With what fires: against the model, at a stage, of the pipeline as a whole, and what is merely told."""
    by_name = {rule.name: rule for rule in rules}
    against = [entry for entry in firing if entry.alert in by_name and by_name[entry.alert].is_against_model]
    notes = [entry for entry in firing if entry.alert in by_name and by_name[entry.alert].is_note]
    told_elsewhere = {entry.key for entry in (*against, *notes)}
    flow = [entry for entry in firing if entry.key not in told_elsewhere]
    placed = problems_of([*(entry for entry in of_stack if entry.stage), *flow])
    return replace(
        view,
        stages=[with_problems(stage, placed) for stage in view.stages],
        against=[problem for _, problem in problems_of(against)],
        problems=[problem for stage, problem in placed if not stage] if view.is_judged else view.problems,
        notes=[problem for _, problem in problems_of(notes)],
    )


def unjudged(pipeline: Pipeline, why: str) -> PipelineView:
    """A pipeline at which the monitor has failed to look."""
    problem = Problem("unjudged", f"the monitor cannot judge it: {why}", "./hotpath logs monitor")
    return PipelineView(pipeline, NOTHING_SEEN, (), (), {}, {}, (), (), [problem], is_judged=False)


@dataclass(frozen=True)
class View:
    """The whole page."""

    time_s: float
    pipelines: Sequence[PipelineView]
    told: Sequence[Told]
    """Messages, the newest first."""
    problems: Sequence[Problem] = ()
    """Those of the whole stack, which belong to no pipeline."""
    rows: Sequence[AlertRow] = ()
    """Every alert as it stands."""

    @property
    def open_rows(self) -> list[AlertRow]:
        """The alerts that are not simply well."""
        return list(open_rows(self.rows))

    @property
    def when(self) -> str:
        return datetime.fromtimestamp(self.time_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    def as_json(self) -> dict[str, Any]:
        """The same for programs; field names are stable."""
        return {
            "time": rfc3339(datetime.fromtimestamp(self.time_s, UTC)),
            "well": not self.problems and all(view.is_well for view in self.pipelines),
            "problems": [asdict(problem) for problem in self.problems],
            "pipelines": [_pipeline_json(view) for view in self.pipelines],
            "alerts": [msgspec.to_builtins(each.message) | {"delivery": each.delivery} for each in self.told],
            "alert_states": [dict(vars(row)) for row in self.rows],
        }


def _pipeline_json(view: PipelineView) -> dict[str, Any]:
    return {
        "name": view.pipeline.name,
        "headline": view.headline,
        "trusted": view.is_trusted,
        "verdict": view.verdict,
        "reasons": [asdict(reason) for reason in view.against],
        "model": view.seen.model,
        "model_age_s": view.seen.model_age_s,
        "pinned": None if view.seen.pinned is None else asdict(view.seen.pinned),
        "realised": None if view.seen.realised is None else asdict(view.seen.realised),
        "models": {version: None if r is None else asdict(r) for version, r in view.by_model.items()},
        "provisional": {version: None if r is None else asdict(r) for version, r in view.provisional.items()},
        "figures": [asdict(row) for row in view.figures],
        "slices": [asdict(each) for each in view.slices],
        "clock_offsets_s": dict(view.seen.clock_offsets_s),
        "problems": [asdict(problem) for problem in view.problems],
        "notes": [asdict(problem) for problem in view.notes],
        "stages": [_stage_json(stage) for stage in view.stages],
    }


def _stage_json(stage: Stage) -> dict[str, Any]:
    """`problem` and `command` are those of the first of `problems`."""
    return asdict(stage) | {"problem": stage.problem, "command": stage.command}
