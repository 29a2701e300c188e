"""The monitor: look at everything, judge, remember, tell."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import httpx
from influxdb_client.client.write.point import Point

from contract import metrics, variables
from contract.environment import Environment
from contract.layout import Places
from contract.log_lines import start_logging
from contract.manifest import is_version, moment_of
from contract.pipeline import Pipeline
from contract.process_end import VitalThread
from contract.restarts import Restart, RestartsError, read_restarts
from contract.variable_types import Address
from monitoring.alerts.alert_desk import AlertDesk, Rules
from monitoring.alerts.alert_entry import OF_THE_STACK, problems_of
from monitoring.collect.engine_follower import EngineFollower
from monitoring.collect.scrape import Snapshot, local_targets, scorer_targets, scrape
from monitoring.influx.point_feed import PointFeed, own_samples
from monitoring.judge.alert_rules import Judged, Rule
from monitoring.judge.clocks_behind import clock_offsets_s, show_clocks_behind
from monitoring.judge.costs import Costs
from monitoring.judge.data_health import DataFollower
from monitoring.judge.event_points import EventPoints
from monitoring.judge.measures import counters_of, judge_pipeline, judge_stack
from monitoring.judge.memory import Memory
from monitoring.judge.model_points import ModelPoints
from monitoring.judge.outcome_follower import LakeFollower
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StackInputs, StageInputs
from monitoring.judge.stages import stages
from monitoring.judge.trust_inputs import Pin, TrustInputs
from monitoring.page.history import History
from monitoring.page.page_server import Pages, serve_page
from monitoring.page.status_points import StatusPoints
from monitoring.page.view import SHOWN_S, PipelineView, View, unjudged, with_alerts
from streaming.lake import hang_watchdog
from streaming.pipeline_file.deployed_files import Deployed

LOOK_EVERY_S = 3.0
STARTING_S = 180
"""How long a part may take to answer for the first time."""
STARTING_AGAIN_S = 60
"""The same for a part that had answered before this monitor began: mostly the whole stack has started again."""
log = logging.getLogger("monitor")


@dataclass(frozen=True)
class Draft:
    """A pipeline as it is looked at, before its alerts are known."""

    view: PipelineView
    judged: Sequence[Judged]


class Monitor:
    """Looks, judges, and tells the page and the webhook."""

    def __init__(
        self,
        places: Places,
        admin: Address | None,
        lake: LakeFollower,
        pages: Pages,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._admin, self._lake, self.pages = places.folder, admin, lake, pages
        self._deployed = Deployed(places)
        self._history = History(places.folder.monitor_history)
        self._alerts = AlertDesk(places, lambda pipeline: lake.found(pipeline).by_slice)
        self._clock = clock
        self._began_s = clock()
        self._memory = Memory(places.folder.monitor_memory, self._began_s)
        self._feed = PointFeed(places)
        self._model_points, self._status_points = ModelPoints(), StatusPoints()
        self._events = EventPoints(places.folder.monitor_events)
        self._costs = Costs()
        self._before: Snapshot | None = None
        self._answered: set[str] = set()
        """The parts and engines that have answered since this monitor began."""
        self._champion: dict[str, str] = {}

    def look(self, client: httpx.Client) -> None:
        """One turn."""
        targets = self._targets(client)
        scraped, pipelines = self._without_starting(scrape(client, targets, self._clock())), self._deployed.pipelines()
        now = replace(scraped, samples=(*scraped.samples, *own_samples()))
        rules = Rules.for_pipelines(pipelines)
        self._memory.windows.watch(counters_of(rules.all()))
        self._memory.take(now)
        self._costs.show(now, pipelines)
        show_clocks_behind(scraped, pipelines)
        drafts = [self._draft(pipeline, rules.of[pipeline.name], now) for pipeline in pipelines]
        judged = {each.view.pipeline.name: each.judged for each in drafts if self._is_known(each.view.pipeline, now)}
        judged[OF_THE_STACK] = judge_stack(rules.of_stack, self._stack_inputs(now))
        rows = self._alerts.take(rules, judged, now.time_s)
        views = [self._with_alerts(each.view, rules) for each in drafts]
        if self._feed.is_wanted:
            told = {
                view.pipeline.name: [each for _, each in self._alerts.problems(view.pipeline.name)] for view in views
            }
            self._events.take(scraped, told)
            self._feed.take(now, partial(self._points, now.time_s, views))
        self._memory.end_look(now.time_s, targets)
        notes = {rule.name for rule in rules.of_stack if rule.is_note}
        of_stack = [entry for entry in self._alerts.firing(OF_THE_STACK) if entry.alert not in notes]
        stack = [problem for stage, problem in problems_of(of_stack) if not (stage and views)]
        self.pages.show(View(now.time_s, tuple(views), self._alerts.told, tuple(stack), tuple(rows)))
        self._before = now

    def _points(self, now_s: float, views: Sequence[PipelineView]) -> Iterator[Point]:
        """What InfluxDB gets besides the metrics."""
        found = {view.pipeline.name: self._lake.found(view.pipeline.name) for view in views}
        yield from self._model_points.points(found)
        yield from self._events.points()
        yield from self._status_points.points(views, now_s)

    def _draft(self, pipeline: Pipeline, rules: Sequence[Rule], now: Snapshot) -> Draft:
        """What one pipeline raises is a problem of that pipeline, and holds up no other; what fires of it goes on."""
        try:
            look = self._inputs(pipeline, now)
            view = self._view_of(look)
            view.check(now.time_s)
            return Draft(view, judge_pipeline(rules, look))
        except Exception as error:
            metrics.PROBLEMS.labels(part="monitor").inc()
            log.exception("pipeline not judged, trying again pipeline=%s", pipeline.name)
            view = unjudged(pipeline, f"{type(error).__name__}: {error}")
            return Draft(view, _unjudged(rules, view.problems[0].text))

    def _with_alerts(self, view: PipelineView, rules: Rules) -> PipelineView:
        name = view.pipeline.name
        return with_alerts(view, rules.of[name], self._alerts.firing(name), self._alerts.firing(OF_THE_STACK))

    def _stack_inputs(self, now: Snapshot) -> StackInputs:
        answers = {each.labels["engine"]: each.value for each in now.find(metrics.ENGINE_ANSWERS)}
        self._answered |= {engine for engine, value in answers.items() if value}
        may_be_starting = () if now.time_s >= self._began_s + STARTING_S else answers.keys() - self._answered
        return StackInputs(
            now,
            self._restarts(),
            self._feed.problems(),
            self._deployed.unreadable,
            self._memory.windows,
            may_be_starting,
        )

    def start_threads(self) -> None:
        """What goes on beside the looks, until `end`."""
        self._feed.start()
        self._alerts.start_sending()

    def end(self) -> None:
        """Send no more alerts."""
        self._alerts.end()

    def _targets(self, client: httpx.Client) -> dict[str, str]:
        """Part -> URL of its metrics."""
        targets = local_targets(self._folder.targets)
        if self._admin:
            targets |= scorer_targets(client, self._admin)
        targets.pop("monitor", None)
        return targets

    def _without_starting(self, now: Snapshot) -> Snapshot:
        """A part that has not answered yet is silent only once it has had the time to start."""
        self._answered |= {sample.part for sample in now.samples}
        silent = {part: why for part, why in now.silent.items() if self._is_silent(part, now.time_s)}
        return replace(now, silent=silent, starting=frozenset(now.silent.keys() - silent.keys()))

    def _is_silent(self, part: str, now_s: float) -> bool:
        known = part in self._memory.have_answered
        return part in self._answered or now_s >= self._began_s + (STARTING_AGAIN_S if known else STARTING_S)

    def _is_known(self, pipeline: Pipeline, now: Snapshot) -> bool:
        """While the stack starts, nothing is said of a pipeline whose rollout has not told its model yet."""
        has_answered = f"rollout-{pipeline.name}" in self._memory.have_answered
        return has_answered or now.time_s >= self._began_s + STARTING_S

    def _view_of(self, look: StageInputs) -> PipelineView:
        """Without its alerts, which are judged with those of the others."""
        found, seen, now_s, name = look.found, look.seen, look.now.time_s, look.pipeline.name
        self._remember(look.pipeline, seen, now_s)
        since = now_s - SHOWN_S
        return PipelineView(
            pipeline=look.pipeline,
            seen=seen,
            stages=stages(look),
            realised=found.realised,
            by_model=found.by_model,
            provisional=found.provisional,
            switches=[(t, _version(name, made_s)) for t, made_s in self._history.series(f"{name}.switch", since)],
            ages=self._history.series(f"{name}.age", since),
            slices=found.by_slice,
            manifests=found.manifests,
        )

    def _inputs(self, pipeline: Pipeline, now: Snapshot) -> StageInputs:
        found = self._lake.found(pipeline.name)
        return StageInputs(
            pipeline,
            self._before,
            now,
            found.read_s,
            self._memory.windows,
            self._memory.stillness,
            self._restarts(),
            TrustInputs(
                model=_champion(pipeline, now),
                model_age_s=_age(pipeline, now),
                realised=found.realised[-1] if found.realised else None,
                clock_offsets_s=clock_offsets_s(now, pipeline.name),
                pinned=_pin(pipeline, now),
            ),
            found,
            not self._folder.pipeline_file(pipeline.name).exists(),
        )

    def _restarts(self) -> list[Restart]:
        try:
            return read_restarts(self._folder.restarts)
        except RestartsError as error:
            log.error("restarts not read error=%r", str(error))
            return []

    def _remember(self, pipeline: Pipeline, seen: TrustInputs, time_s: float) -> None:
        points = [] if seen.model_age_s is None else [(f"{pipeline.name}.age", seen.model_age_s)]
        if seen.model is not None and self._champion.get(pipeline.name) != seen.model:
            if pipeline.name in self._champion and is_version(seen.model):
                points.append((f"{pipeline.name}.switch", moment_of(seen.model).timestamp()))
            self._champion[pipeline.name] = seen.model
        self._history.add(time_s, points)


def _unjudged(rules: Sequence[Rule], why: str) -> list[Judged]:
    """Of a pipeline that cannot be judged nothing is known but that; what fires goes on."""
    kept = [Judged(replace(rule, no_data="keep"), None, "no_data") for rule in rules if rule.name != "unjudged"]
    own = [rule for rule in rules if rule.name == "unjudged" and not rule.is_off]
    return kept + [Judged(rule, Reading(1, why), "bad") for rule in own]


def _version(name: str, made_s: float) -> str:
    """A version by the moment in it, which is what the history keeps."""
    return f"{name}-{datetime.fromtimestamp(made_s, UTC):%Y%m%dT%H%M%SZ}"


def _champion(pipeline: Pipeline, now: Snapshot) -> str | None:
    samples = now.find(metrics.CURRENT_MODEL, pipeline=pipeline.name)
    return next((sample.labels["model"] for sample in samples if sample.value == 1), None)


def _pin(pipeline: Pipeline, now: Snapshot) -> Pin | None:
    samples = now.find(metrics.MODEL_PINNED, pipeline=pipeline.name)
    return next((Pin(s.labels["model"], s.labels["who"], s.value) for s in samples), None)


def _age(pipeline: Pipeline, now: Snapshot) -> float | None:
    newest = now.largest(metrics.MODEL_NEWEST_AS_OF, pipeline=pipeline.name)
    return None if newest is None else now.time_s - newest


def main() -> None:
    start_logging()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        places = Places.from_environment(needs=("hdfs",))
        hang_watchdog.start()
    except ValueError as error:
        sys.exit(f"monitor: {error}")
    metrics.serve("monitor")
    for outcome in ("written", "refused", "dropped"):
        metrics.INFLUX_POINTS.labels(outcome=outcome)
    pages, lake = Pages(), LakeFollower(places, Deployed(places).pipelines)
    monitor = Monitor(places, Environment().get(variables.ADMIN), lake, pages)
    server = serve_page(Environment().get(variables.PAGE), pages)
    VitalThread("page", server.serve_forever).start()
    VitalThread("lake", lake.follow).start()
    VitalThread("data", DataFollower(places, Deployed(places).pipelines).follow).start()
    VitalThread("engines", EngineFollower(places, Deployed(places).pipelines).follow).start()
    monitor.start_threads()
    with httpx.Client() as client:
        while True:
            try:
                monitor.look(client)
            except Exception:
                metrics.PROBLEMS.labels(part="monitor").inc()
                log.exception("monitor cycle failed, trying again in %.0f s", LOOK_EVERY_S)
            time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
