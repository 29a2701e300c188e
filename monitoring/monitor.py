"""The monitor: look at everything, judge, remember, tell."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from threading import Event

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
from monitoring.collect.engine_follower import EngineFollower
from monitoring.collect.scrape import Snapshot, local_targets, scorer_targets, scrape
from monitoring.influx.influx_feed import InfluxFeed, own_samples
from monitoring.judge.alerts import OF_THE_STACK, Alerts
from monitoring.judge.costs import Costs, show_clocks_behind
from monitoring.judge.data_health import DataFollower
from monitoring.judge.event_points import EventPoints
from monitoring.judge.memory import Memory
from monitoring.judge.model_points import ModelPoints
from monitoring.judge.outcome_follower import LakeFollower
from monitoring.judge.stage import Problem, StageInputs
from monitoring.judge.stages import broken, stages
from monitoring.judge.trust import Pin, TrustInputs
from monitoring.judge.webhook import Webhook
from monitoring.page.history import History
from monitoring.page.page_server import Pages, serve_page
from monitoring.page.status_points import StatusPoints
from monitoring.page.view import SHOWN_S, PipelineView, View, unjudged
from streaming.lake import hang_watchdog
from streaming.pipeline_file.deployed_files import Deployed

LOOK_EVERY_S = 3.0
STARTING_S = 180
"""How long a part may take to answer for the first time."""
STARTING_AGAIN_S = 60
"""The same for a part that had answered before this monitor began: mostly the whole stack has started again."""
log = logging.getLogger("monitor")


class Monitor:
    """Looks, judges, and tells the page and the webhook."""

    def __init__(self, places: Places, admin: Address | None, lake: LakeFollower, pages: Pages) -> None:
        self._folder, self._admin, self._lake, self.pages = places.folder, admin, lake, pages
        self._deployed = Deployed(places)
        self._history = History(places.folder.monitor_history)
        self._alerts = Alerts(places.folder.monitor_alerts, has_webhook=places.webhook is not None)
        self._webhook = Webhook(places.webhook) if places.webhook else None
        self._began_s = time.time()
        self._memory = Memory(places.folder.monitor_memory, self._began_s)
        self._influx = InfluxFeed(places, influx) if (influx := places.influx) else None
        self._model_points, self._status_points = ModelPoints(), StatusPoints()
        self._events = EventPoints(places.folder.monitor_events)
        self._costs = Costs()
        self._before: Snapshot | None = None
        self._answered: set[str] = set()
        """The parts that have answered since this monitor began."""
        self._champion: dict[str, str] = {}
        self._asked_to_end = Event()

    def look(self, client: httpx.Client) -> None:
        """One turn."""
        targets = self._targets(client)
        now = scrape(client, targets, time.time())
        self._memory.take(now)
        now, pipelines = self._without_starting(now), self._deployed.pipelines()
        self._costs.show(replace(now, samples=(*now.samples, *own_samples())), pipelines)
        show_clocks_behind(now, pipelines)
        views = [self._judged(pipeline, now) for pipeline in pipelines]
        told = {view.pipeline.name: self._told(view) for view in views if self._is_known(view.pipeline, now)}
        problems = tuple(self._problems_of_stack())
        told[OF_THE_STACK] = list(problems)
        self._alerts.update(datetime.now(UTC), told, {pipeline.name for pipeline in pipelines})
        if self._influx:
            self._events.take(now, told)
            self._influx.take(now, partial(self._points, now.time_s, views))
        self._memory.end_look(now.time_s, targets)
        self.pages.show(View(now.time_s, tuple(views), self._alerts.recent, problems))
        self._before = now

    def _points(self, now_s: float, views: Sequence[PipelineView]) -> Iterator[Point]:
        """What InfluxDB gets besides the metrics."""
        found = {view.pipeline.name: self._lake.found(view.pipeline.name) for view in views}
        yield from self._model_points.points(found)
        yield from self._events.points()
        yield from self._status_points.points(views, now_s)

    def _judged(self, pipeline: Pipeline, now: Snapshot) -> PipelineView:
        """What one pipeline raises is a problem of that pipeline, and holds up no other."""
        try:
            view = self._view_of(pipeline, now)
            view.check(now.time_s)
        except Exception as error:
            metrics.PROBLEMS.labels(part="monitor").inc()
            log.exception("pipeline not judged, trying again pipeline=%s", pipeline.name)
            return unjudged(pipeline, f"{type(error).__name__}: {error}")
        return view

    def _told(self, view: PipelineView) -> list[Problem]:
        """What alerts say of a pipeline; of one that cannot be judged, what they said before stays."""
        return [*([] if view.is_judged else self._alerts.firing_of(view.pipeline.name)), *_reasons(view)]

    def _problems_of_stack(self) -> Iterator[Problem]:
        """What is not well and belongs to no pipeline."""
        for file, why in self._deployed.unreadable.items():
            text = f"the deployed file {file} is not taken up: {why}"
            yield Problem(f"unreadable:{file.stem}", text, "./hotpath up FILE")
        if self._influx and (unwritten := self._influx.problem()):
            yield Problem("influx", unwritten, "./hotpath logs monitor")

    def start_threads(self) -> None:
        """What goes on beside the looks, until `end`."""
        if self._influx:
            self._influx.start()
        if self._webhook:
            send = partial(self._webhook.keep_sending, self._alerts, self._asked_to_end)
            VitalThread("webhook", send, self._asked_to_end).start()

    def end(self) -> None:
        """Send no more alerts."""
        self._asked_to_end.set()

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
        return replace(now, silent={part: why for part, why in now.silent.items() if self._is_silent(part, now.time_s)})

    def _is_silent(self, part: str, now_s: float) -> bool:
        known = part in self._memory.have_answered
        return part in self._answered or now_s >= self._began_s + (STARTING_AGAIN_S if known else STARTING_S)

    def _is_known(self, pipeline: Pipeline, now: Snapshot) -> bool:
        """While the stack starts, nothing is said of a pipeline whose rollout has not told its model yet."""
        has_answered = f"rollout-{pipeline.name}" in self._memory.have_answered
        return has_answered or now.time_s >= self._began_s + STARTING_S

    def _view_of(self, pipeline: Pipeline, now: Snapshot) -> PipelineView:
        found = self._lake.found(pipeline.name)
        seen = TrustInputs(
            model=_champion(pipeline, now),
            model_age_s=_age(pipeline, now),
            realised=found.realised[-1] if found.realised else None,
            clock_offsets_s=_clock_offsets(pipeline, now),
            pinned=_pin(pipeline, now),
        )
        self._remember(pipeline, seen, now.time_s)
        since, name = now.time_s - SHOWN_S, pipeline.name
        return PipelineView(
            pipeline=pipeline,
            seen=seen,
            stages=stages(self._inputs(pipeline, now, found.read_s)),
            realised=found.realised,
            by_model=found.by_model,
            provisional=found.provisional,
            switches=[(t, _version(name, made_s)) for t, made_s in self._history.series(f"{name}.switch", since)],
            ages=self._history.series(f"{name}.age", since),
            problems=tuple(self._vanished(name)),
        )

    def _vanished(self, pipeline: str) -> Iterator[Problem]:
        """A pipeline whose deployed file is gone, although nobody removed it, goes on until a process starts again."""
        file = self._folder.pipeline_file(pipeline)
        if not file.exists():
            text = f"the deployed file {file} has vanished, and the pipeline goes on with what it said"
            yield Problem("vanished", text, "./hotpath up FILE")

    def _inputs(self, pipeline: Pipeline, now: Snapshot, lake_read_s: float | None) -> StageInputs:
        return StageInputs(
            pipeline,
            self._before,
            now,
            lake_read_s,
            self._memory.windows,
            self._memory.stillness,
            self._restarts(),
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


def _reasons(view: PipelineView) -> list[Problem]:
    """All that is to be told of a pipeline, each with a code of its own."""
    models = "./hotpath models list"
    judged = [Problem(each.code, each.text, models) for each in view.reasons]
    judged += [] if view.seen.pinned is None else [Problem("pinned", view.seen.pinned.text, models)]
    return (
        judged
        + list(view.problems)
        + [
            Problem(f"stage:{stage.name}:{problem.code}", f"{stage.name}: {problem.text}", problem.command)
            for stage in broken(view.stages)
            for problem in stage.problems
        ]
    )


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


def _clock_offsets(pipeline: Pipeline, now: Snapshot) -> dict[str, float]:
    samples = now.find(metrics.CLOCK_OFFSET_SECONDS, pipeline=pipeline.name)
    return {sample.labels["host"]: sample.value for sample in samples}


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
