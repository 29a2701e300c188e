"""The monitor: look at everything, judge, remember, tell."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import httpx

from contract import metrics, variables
from contract.environment import Environment
from contract.layout import Places, PlacesError
from contract.log_lines import start_logging
from contract.pipeline import Pipeline
from contract.variable_types import Address
from monitoring.collect.scrape import Snapshot, local_targets, scorer_targets, scrape
from monitoring.judge.alerts import Alerts
from monitoring.judge.outcome_follower import LakeFollower
from monitoring.judge.stages import StageInputs, broken, stages
from monitoring.judge.trust import Pin, TrustInputs, reasons_against
from monitoring.page.history import History
from monitoring.page.page_server import serve_page
from monitoring.page.view import SHOWN_S, PipelineView, View
from streaming.lake import hang_watchdog
from streaming.pipeline_file.deployed_files import Deployed
from training.candidates.registry import moment_of

LOOK_EVERY_S = 3.0
STARTING_S = 180
log = logging.getLogger("monitor")


class Monitor:
    """Keeps the current view. Only its own loop writes; the page reads."""

    def __init__(self, places: Places, admin: Address | None) -> None:
        self._places, self._admin = places, admin
        self._deployed = Deployed(places)
        self._history = History(places.folder.monitor_history)
        self._alerts = Alerts(places.webhook)
        self._lake = LakeFollower(places, Deployed(places).pipelines)
        self._lake.start()
        self._began_s = time.time()
        self._have_answered: set[str] = set()
        self._before: Snapshot | None = None
        self._champion: dict[str, str] = {}
        self.view = View(time.time(), (), ())

    def look(self, client: httpx.Client) -> None:
        """One turn."""
        targets = local_targets(self._places.folder.targets)
        if self._admin:
            targets |= scorer_targets(client, self._admin)
        targets.pop("monitor", None)
        now = self._without_starting(scrape(client, targets, time.time()))
        views = [self._view_of(pipeline, now) for pipeline in self._deployed.pipelines()]
        judged = {view.pipeline.name: _reasons(view) for view in views if self._is_known(view.pipeline, now)}
        self._alerts.update(datetime.now(UTC), judged)
        self._alerts.send(client)
        self.view = View(now.time_s, tuple(views), tuple(self._alerts.recent))
        self._before = now

    def _without_starting(self, now: Snapshot) -> Snapshot:
        """A part that has not answered yet is silent only once it has had the time to start."""
        self._have_answered |= {sample.part for sample in now.samples}
        starting = now.time_s < self._began_s + STARTING_S
        silent = {part: why for part, why in now.silent.items() if part in self._have_answered or not starting}
        return replace(now, silent=silent)

    def _is_known(self, pipeline: Pipeline, now: Snapshot) -> bool:
        """While the stack starts, nothing is said of a pipeline whose rollout has not told its model yet."""
        return f"rollout-{pipeline.name}" in self._have_answered or now.time_s >= self._began_s + STARTING_S

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
            stages=stages(StageInputs(pipeline, self._before, now, found.read_s)),
            realised=found.realised,
            by_model=found.by_model,
            provisional=found.provisional,
            switches=[(t, _version(name, made_s)) for t, made_s in self._history.series(f"{name}.switch", since)],
            ages=self._history.series(f"{name}.age", since),
        )

    def _remember(self, pipeline: Pipeline, seen: TrustInputs, time_s: float) -> None:
        points = [] if seen.model_age_s is None else [(f"{pipeline.name}.age", seen.model_age_s)]
        if seen.model is not None and self._champion.get(pipeline.name) != seen.model:
            if pipeline.name in self._champion:
                points.append((f"{pipeline.name}.switch", moment_of(seen.model).timestamp()))
            self._champion[pipeline.name] = seen.model
        self._history.add(time_s, points)


def _reasons(view: PipelineView) -> list[tuple[str, str]]:
    judged = [(reason.code, reason.text) for reason in reasons_against(view.pipeline, view.seen)]
    judged += [] if view.seen.pinned is None else [("pinned", view.seen.pinned.text)]
    return judged + [(f"stage:{stage.name}", f"{stage.name}: {stage.problem}") for stage in broken(list(view.stages))]


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
    except (PlacesError, ValueError) as error:
        sys.exit(f"monitor: {error}")
    monitor = Monitor(places, Environment().get(variables.ADMIN))
    server = serve_page(Environment().get(variables.PAGE), lambda: monitor.view)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with httpx.Client() as client:
        while True:
            try:
                monitor.look(client)
            except Exception:
                metrics.PROBLEMS.labels(part="monitor").inc()
                log.exception("this look came to nothing")
            time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
