"""The training loop: for each pipeline in turn, when it is due: window, train, evaluate, write a candidate, tidy up.

Retrains queue: one at a time, the longest overdue first. No new rows, no retrain: that is idle, not a problem.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from contract import metrics
from contract.layout import Places
from contract.log_lines import start_logging
from contract.manifest import Manifest
from contract.messages.codec import Unreadable
from contract.pipeline import Pipeline
from contract.scorecard import Card
from streaming.lake import hang_watchdog
from streaming.lake.losses import excluded_buckets
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.deployed_files import Deployed
from training.algorithms.by_name import algorithm_of
from training.candidates import build_candidate, registry
from training.candidates.published_states import published_states
from training.candidates.reference_rows import newest_question, reference_rows
from training.command_inbox import CommandInbox
from training.evaluation import holdout_metrics
from training.evaluation.holdout_metrics import Scored
from training.evaluation.holdout_split import split
from training.failures import UNEXPECTED, Failures
from training.h2o.cluster import connected, own_name
from training.h2o.import_window import import_window
from training.scorecard.make_card import make_card
from training.training_errors import NotEnoughRows, TrainingError, TrainingFailed
from training.window import Window, has_new_rows, newest_window

LOOK_EVERY_S = 2.0
RUN_DEADLINE_S = 900
HANGS_AFTER_S = RUN_DEADLINE_S + 300
"""A run that has neither ended nor failed by then hangs; the watchdog ends this process."""
RETRY_AFTER = timedelta(seconds=10)
"""How soon after a failure to look at the tables they are looked at again."""
Check: TypeAlias = Callable[[Manifest, Mapping[str, bytes]], None]
"""Looks at a candidate and its files before it is written; raises TrainingFailed where it could not serve."""
VERDICTS = ("proposed", "below_floor", "failed")
"""How a run may end."""
log = logging.getLogger("trainer")


@dataclass
class Turn:
    """What the loop remembers of a pipeline."""

    failures: Failures
    began: datetime | None = None
    """When its last run began."""
    window: Window | None = None
    """What its last good run was trained on."""
    not_before: datetime | None = None
    """Until then it rests, since something failed before a run began."""
    is_ordered: bool = False
    """Somebody has sent a command to train, which no turn has taken up yet."""

    def is_due(self, pipeline: Pipeline, now: datetime) -> bool:
        if self.not_before is not None and now < self.not_before:
            return False
        return self.is_ordered or self.began is None or now - self.began >= pipeline.training.every


def train_once(places: Places, pipeline: Pipeline, window: Window, check: Check) -> Manifest:
    """One run: the candidate is in the registry when this returns its manifest.

    Raises:
        TrainingError: nothing was written.
    """
    compiled, own, algorithm = compile_pipeline(pipeline), own_name(places, pipeline), algorithm_of(pipeline)
    run = f"the training run of {pipeline.name}"
    with hang_watchdog.expected_back(run, HANGS_AFTER_S), connected(places, own, RUN_DEADLINE_S) as cluster:
        with _step(pipeline, "import"):
            train, holdout = import_window(window, pipeline, compiled.feature_types, own)
        with _step(pipeline, "train"):
            model = algorithm.train(pipeline, train, own)
        with _step(pipeline, "score"):
            scored = algorithm.score(model, holdout, pipeline.training.slices)
        newest = newest_question(pipeline, window)
        with _step(pipeline, "scorecard"):
            compare, calibrate = _parts(pipeline, scored)
            card = _card(pipeline, compare, calibrate, newest)
        with _step(pipeline, "reference_rows"):
            reference = list(reference_rows(places, pipeline, window, model, holdout, scored))
        manifest = build_candidate.manifest(
            pipeline,
            compiled,
            cluster,
            window,
            model,
            train,
            holdout_metrics.metrics(compare),
            newest,
            created=datetime.now(UTC),
            holdout_labels=scored.label,
            scorecard=card,
        )
        with _step(pipeline, "write"):
            files = build_candidate.files(compiled, model, reference)
            if manifest.proposed:
                check(manifest, files)
            registry.write_candidate(places.registry(pipeline.name), manifest, files)
    return manifest


def _parts(pipeline: Pipeline, scored: Scored) -> tuple[Scored, Scored]:
    compare, calibrate = split(scored, bool(pipeline.scorecard.tolerances))
    if not len(compare.label) or (not len(calibrate.label) and pipeline.scorecard.tolerances):
        raise NotEnoughRows("the holdout has too few groups for two parts ([scorecard]): wait for more buckets")
    return compare, calibrate


def _card(pipeline: Pipeline, compare: Scored, calibrate: Scored, newest: datetime) -> Card | None:
    """None where the pipeline states no tolerance. A card ends when its model is too old for the pipeline."""
    if not pipeline.scorecard.tolerances:
        return None
    return make_card(compare, calibrate, pipeline.scorecard, newest + pipeline.serving.max_age)


@contextmanager
def _step(pipeline: Pipeline, step: str) -> Iterator[None]:
    """Show how long a step took, unless it fails."""
    began_s = time.monotonic()
    yield
    metrics.TRAINING_STEP_SECONDS.labels(pipeline=pipeline.name, step=step).set(time.monotonic() - began_s)


def tidy(places: Places, pipeline: Pipeline, now: datetime) -> list[str]:
    """Remove the candidates that nothing keeps; returns their versions."""
    folder = places.registry(pipeline.name)
    known = published_states(places.cloud, pipeline.models_topic)
    present = registry.versions(folder)
    gone = registry.superfluous(present, known.states, pipeline.training.keep, now, known.unreadable)
    for version in gone:
        registry.remove(folder, version)
    return gone


def take_turn(places: Places, pipeline: Pipeline, turn: Turn, now: datetime, check: Check) -> bool:
    """Retrain when there is something new, or somebody wants it; tells whether a candidate was written."""
    window = newest_window(places, pipeline, _left_out(places, pipeline))
    ordered, turn.is_ordered = turn.is_ordered, False
    idle = window is None or (turn.window is not None and not has_new_rows(pipeline, window, turn.window))
    metrics.TRAINING_IDLE.labels(pipeline=pipeline.name).set(idle)
    if ordered and window is None:
        log.warning("nothing to train on yet, the command has no effect pipeline=%s", pipeline.name)
    if window is None or (idle and not ordered):
        turn.window = window  # the next look compares with this version: the log of older ones goes
        return False
    turn.began = now
    with metrics.TRAINING_SECONDS.labels(pipeline=pipeline.name).time():
        manifest = train_once(places, pipeline, window, check)
    turn.window = window
    _tell(pipeline, manifest)
    turn.failures.clear()
    return True


def _left_out(places: Places, pipeline: Pipeline) -> tuple[tuple[int, int], ...]:
    try:
        return excluded_buckets(places, pipeline)
    except Unreadable as error:
        raise TrainingFailed(str(error), "a loss of records does not read: hotpath losses list names it") from error


def _tell(pipeline: Pipeline, manifest: Manifest) -> None:
    metrics.TRAINING_RUNS.labels(pipeline=pipeline.name).inc()
    verdict = "proposed" if manifest.proposed else "below_floor"
    metrics.TRAINING_VERDICTS.labels(pipeline=pipeline.name, verdict=verdict).inc()
    metrics.TRAINING_ROWS.labels(pipeline=pipeline.name, part="window").set(manifest.rows)
    metrics.TRAINING_ROWS.labels(pipeline=pipeline.name, part="holdout").set(manifest.holdout_rows)
    rows, auc = manifest.rows, manifest.auc
    if auc is not None:
        metrics.TRAINING_AUC.labels(pipeline=pipeline.name).set(auc)
    log.info("candidate written version=%s rows=%d auc=%s why=%r", manifest.version, rows, auc, manifest.why)


def unchecked(_: Manifest, __: Mapping[str, bytes]) -> None:
    """Where nobody has a check, the candidate's rollout finds what is wrong with it."""


def try_turn(places: Places, pipeline: Pipeline, turn: Turn, now: datetime, check: Check = unchecked) -> None:
    """Take a turn. A failure is logged and counted; the pipeline is tried again when it is due next."""
    before, waiting = turn.began, False
    try:
        if take_turn(places, pipeline, turn, now, check):
            _try_to_tidy(places, pipeline, now)
    except NotEnoughRows as error:
        waiting = True
        log.info("training waits pipeline=%s reason=%r", pipeline.name, str(error))
    except TrainingError as error:
        turn.failures.note(error.reason)
        log.error("%s reason=%r", _failed(turn), str(error))
    except Exception:
        turn.failures.note(UNEXPECTED)
        log.exception("%s", _failed(turn))
    metrics.TRAINING_WAITING.labels(pipeline=pipeline.name).set(waiting)
    turn.not_before = now + RETRY_AFTER if turn.failures.in_a_row and turn.began == before else None


def _try_to_tidy(places: Places, pipeline: Pipeline, now: datetime) -> None:
    """What is not removed now is removed after the next run: a candidate was written, so that no run has failed."""
    try:
        for version in tidy(places, pipeline, now):
            log.info("candidate removed, since nothing keeps it version=%s", version)
    except Exception as error:
        metrics.PROBLEMS.labels(part="trainer").inc()
        log.exception("old candidates stay for now pipeline=%s reason=%r", pipeline.name, str(error))


def _failed(turn: Turn) -> str:
    return f"training run failed pipeline={turn.failures.pipeline} failures_in_a_row={turn.failures.in_a_row}"


def note_commands(inbox: CommandInbox, turns: Mapping[str, Turn]) -> None:
    """Note in its turn every pipeline that somebody wants trained now."""
    try:
        commands = inbox.new_commands()
    except TrainingError as error:
        metrics.PROBLEMS.labels(part="trainer").inc()
        log.warning("commands cannot be read, trying again reason=%r", str(error))
        return
    for command in commands:
        if command.pipeline in turns:
            turns[command.pipeline].is_ordered = True
            log.info("command to train pipeline=%s who=%r", command.pipeline, command.who)
        else:
            log.warning("command to train a pipeline that is not deployed pipeline=%.100r", command.pipeline)


def _turns_of(pipelines: Iterable[Pipeline], before: Mapping[str, Turn]) -> dict[str, Turn]:
    """A turn for each pipeline; of one that is deployed no more nothing is said to fail."""
    turns = {pipeline.name: before.get(pipeline.name) or _first_turn(pipeline.name) for pipeline in pipelines}
    for name in before.keys() - turns.keys():
        before[name].failures.clear()
    return turns


def _first_turn(pipeline: str) -> Turn:
    """Its counters begin at 0."""
    for verdict in VERDICTS:
        metrics.TRAINING_VERDICTS.labels(pipeline=pipeline, verdict=verdict)
    return Turn(Failures(pipeline))


def run(places: Places, check: Check) -> None:
    """Take turns for ever."""
    deployed, inbox = Deployed(places), CommandInbox(places.cloud, round(time.time() * 1000))
    turns: dict[str, Turn] = {}
    while True:
        now = datetime.now(UTC)
        pipelines = deployed.pipelines()
        turns = _turns_of(pipelines, turns)
        note_commands(inbox, turns)
        due = [p for p in pipelines if turns[p.name].is_due(p, now)]
        for pipeline in sorted(due, key=lambda p: turns[p.name].began or datetime.min.replace(tzinfo=UTC)):
            try_turn(places, pipeline, turns[pipeline.name], now, check)
        time.sleep(LOOK_EVERY_S)


def main(check: Check = unchecked) -> None:
    start_logging()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        places = Places.from_environment(needs=("cloud", "hdfs", "h2o"))
        hang_watchdog.start()
    except ValueError as error:
        sys.exit(f"trainer: {error}")
    metrics.serve("trainer")
    run(places, check)


if __name__ == "__main__":
    main()
