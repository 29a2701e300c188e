"""The training loop: for each pipeline in turn, when it is due: window, train, evaluate, write a candidate, tidy up.

Retrains queue: one at a time, the longest overdue first. No new rows, no retrain: that is idle, not a problem.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contract import metrics
from contract.layout import Places, PlacesError
from contract.log_lines import start_logging
from contract.pipeline import Pipeline
from streaming.lake import hang_watchdog
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.deployed_files import Deployed
from training.algorithms.gbm import score, train_gbm
from training.candidates import build_candidate, registry
from training.candidates.published_states import model_states
from training.candidates.reference_rows import newest_question, reference_rows
from training.evaluation import holdout_metrics
from training.h2o.cluster import connected, own_name
from training.h2o.import_window import import_window
from training.training_errors import TrainingError
from training.window import Window, newest_window

LOOK_EVERY_S = 2.0
RUN_DEADLINE_S = 900
log = logging.getLogger("trainer")


@dataclass
class Turn:
    """What the loop remembers of a pipeline: when its last run began, and the window that it used."""

    began: datetime | None = None
    window: Window | None = None

    def is_due(self, pipeline: Pipeline, now: datetime) -> bool:
        return self.began is None or now - self.began >= pipeline.training.every


def train_once(places: Places, pipeline: Pipeline, window: Window) -> dict[str, Any]:
    """One run: the candidate is in the registry when this returns its manifest.

    Raises:
        TrainingError: nothing was written.
    """
    compiled, own = compile_pipeline(pipeline), own_name(places, pipeline)
    with connected(places, own, RUN_DEADLINE_S) as cluster:
        train, holdout = import_window(window, pipeline, compiled.feature_types, own)
        model = train_gbm(pipeline, train, own)
        scored = score(model, holdout, pipeline.training.slices)
        reference = list(reference_rows(places, pipeline, window, model, holdout, scored))
        manifest = build_candidate.manifest(
            pipeline,
            compiled,
            cluster,
            window,
            model,
            train,
            holdout_metrics.metrics(scored),
            newest_question(pipeline, window),
            created=datetime.now(UTC),
        )
        files = build_candidate.files(compiled, model, reference)
    registry.write_candidate(places.registry(pipeline.name), manifest, files)
    return manifest


def tidy(places: Places, pipeline: Pipeline, now: datetime) -> list[str]:
    """Remove the candidates that nothing keeps; returns their versions."""
    folder = places.registry(pipeline.name)
    states = model_states(places.cloud, pipeline.models_topic)
    gone = registry.superfluous(registry.versions(folder), states, pipeline.training.keep, now)
    for version in gone:
        registry.remove(folder, version)
    return gone


def take_turn(places: Places, pipeline: Pipeline, turn: Turn, now: datetime) -> None:
    """Retrain when there is something new; keep the figures that the monitor shows."""
    window = newest_window(places, pipeline)
    idle = window is None or (turn.window is not None and window.files == turn.window.files)
    metrics.TRAINING_IDLE.labels(pipeline=pipeline.name).set(idle)
    if window is None or idle:
        return
    turn.began = now
    with metrics.TRAINING_SECONDS.labels(pipeline=pipeline.name).time():
        manifest = train_once(places, pipeline, window)
    turn.window = window
    metrics.TRAINING_RUNS.labels(pipeline=pipeline.name).inc()
    metrics.TRAINING_AUC.labels(pipeline=pipeline.name).set(manifest["metrics"]["auc"])
    log.info("%s: %s, %s", manifest["version"], manifest["why"], manifest["metrics"])
    for version in tidy(places, pipeline, now):
        log.info("%s: removed, nothing keeps it", version)


def run(places: Places) -> None:
    """Take turns for ever."""
    deployed = Deployed(places)
    turns: dict[str, Turn] = {}
    while True:
        now = datetime.now(UTC)
        due = [p for p in deployed.pipelines() if turns.setdefault(p.name, Turn()).is_due(p, now)]
        for pipeline in sorted(due, key=lambda p: turns[p.name].began or datetime.min.replace(tzinfo=UTC)):
            try:
                take_turn(places, pipeline, turns[pipeline.name], now)
            except TrainingError as error:
                metrics.PROBLEMS.labels(part="trainer").inc()
                log.error("%s: no candidate: %s", pipeline.name, error)
            except Exception:
                metrics.PROBLEMS.labels(part="trainer").inc()
                log.exception("%s: no candidate", pipeline.name)
        time.sleep(LOOK_EVERY_S)


def main() -> None:
    start_logging()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        places = Places.from_environment(needs=("cloud", "hdfs", "h2o"))
        hang_watchdog.start()
    except (PlacesError, ValueError) as error:
        sys.exit(f"trainer: {error}")
    metrics.serve("trainer")
    run(places)


if __name__ == "__main__":
    main()
