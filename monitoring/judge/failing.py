"""What fails again and again, does not answer, was restarted, or was lost."""

from __future__ import annotations

from collections.abc import Iterator

from contract import metrics
from contract.restarts import RECENT_S, trouble_of
from monitoring.collect.scrape import pipeline_of_scorer
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StackInputs, StageInputs

OWN_PARTS = ("rollout-", "replay-")
"""Parts that belong to one pipeline, by the beginning of their names; its name follows."""
ENDED_TOLD_S = 60.0
STEPS = {"hot query": "events", "losses": "events", "upkeep": "events", "rows job": "rows"}
"""The steps of the Spark job, each with the stage of the flow that it belongs to."""
PARTS = {
    "producers": ("replay",),
    "mirror": ("watcher", "mirror", "kafka-"),
    "events": ("streaming", "namenode", "datanode"),
    "rows": ("streaming",),
    "training": ("trainer", "h2o"),
    "rollout": ("pull", "rollout", "socket_manager"),
    "scorers": (),
    "outcomes": ("streaming",),
}
"""Which parts a stage stands or falls with, by the beginning of their names, in the order of the flow."""


def silent_parts(look: StackInputs) -> Iterator[Reading]:
    """Parts of the stack whose metrics cannot be read."""
    for part, why in look.now.silent.items():
        if _is_of_stack(part):
            yield _silent(part, why)
    yield from (_starting(part) for part in look.now.starting if _is_of_stack(part))


def own_silent_parts(look: StageInputs) -> Iterator[Reading]:
    """The same of the parts that are of this pipeline alone."""
    for part, why in look.now.silent.items():
        if _is_own(part, look.pipeline.name):
            yield _silent(part, why)
    yield from (_starting(part) for part in look.now.starting if _is_own(part, look.pipeline.name))


def _silent(part: str, why: str) -> Reading:
    command = f"./hotpath logs {part}"
    return Reading(1, f"{part} does not answer: {why}", part, command=command, stage=first_stage(part))


def _starting(part: str) -> Reading:
    """Whether it answers is not known yet."""
    return Reading(0, f"{part} may be starting", part, stage=first_stage(part), is_known=False)


def silent_scorers(look: StageInputs) -> Iterator[Reading]:
    """Scorers that do not answer: one that has just ended is still listed for a moment."""
    for scorer, why in look.now.silent.items():
        if pipeline_of_scorer(scorer) == look.pipeline.name:
            yield Reading(1, f"the scorer {scorer} does not answer: {why}", scorer)
    yield from (_starting(part) for part in look.now.starting if pipeline_of_scorer(part) == look.pipeline.name)


def ended_parts(look: StackInputs) -> Iterator[Reading]:
    """Parts that have just ended without being asked to."""
    newest = {restart.part: restart for restart in look.restarts}  # the newest come last
    for part, restart in sorted(newest.items()):
        ago_s = look.now.time_s - restart.when_s
        if ago_s <= ENDED_TOLD_S:
            text = f"{part} ended {max(0.0, ago_s):.0f} s ago and was started again: it {restart.why}"
            yield Reading(1, text, part, command=f"./hotpath logs {part}")


def restarted_parts(look: StackInputs) -> Iterator[Reading]:
    """Parts of the stack that ended themselves, or were started again often."""
    for part in sorted({restart.part for restart in look.restarts}):
        if not part.startswith(OWN_PARTS):
            yield from _restarted(part, look)


def own_restarted_parts(look: StageInputs) -> Iterator[Reading]:
    """The same of the parts that are of this pipeline alone."""
    for part in sorted({restart.part for restart in look.restarts}):
        if _is_own(part, look.pipeline.name):
            yield from _restarted(part, look)


def _restarted(part: str, look: StackInputs | StageInputs) -> Iterator[Reading]:
    trouble = trouble_of(part, look.restarts, look.now.time_s)
    if trouble is not None:
        yield Reading(1, trouble, part, command=f"./hotpath logs {part}", stage=first_stage(part))


def failing_steps(look: StageInputs) -> Iterator[Reading]:
    """How often each step of the streaming job has failed in a row."""
    for step, stage in STEPS.items():
        failures = look.value(metrics.STREAM_FAILURES_IN_A_ROW, step=step)
        if failures is not None:
            yield Reading(failures, f"the {step} has failed {failures:.0f} times in a row", step, stage=stage)


def query_ends(look: StageInputs) -> Iterator[Reading]:
    """A hot query that ends again and again, and has lately."""
    name = look.pipeline.name
    ends = look.windows.increase(metrics.STREAM_RESTARTS, pipeline=name)
    is_recent = bool(look.windows.increase(metrics.STREAM_RESTARTS, RECENT_S, pipeline=name))
    yield Reading(ends if is_recent else 0, f"the hot query ended {ends:.0f} times in ten minutes")


def failing_training(look: StageInputs) -> Iterator[Reading]:
    failures = look.value(metrics.TRAINING_FAILURES)
    if failures is None:
        return
    reasons = [
        sample.labels["reason"] for sample in look.now.find(metrics.TRAINING_FAILING, pipeline=look.pipeline.name)
    ]
    why = f": {reasons[0]}" if reasons else ""
    yield Reading(failures, f"the last {failures:.0f} training runs failed{why}")


def failing_pull(look: StageInputs) -> Iterator[Reading]:
    failures = look.value(metrics.PULL_FAILURES_IN_A_ROW)
    if failures is not None:
        text = f"no candidate could be copied from the registry in the last {failures:.0f} turns"
        yield Reading(failures, text)


def lost_records(look: StageInputs) -> Iterator[Reading]:
    """Losses that nobody has acknowledged."""
    losses = look.value(metrics.LOSSES_UNACKNOWLEDGED)
    if losses is not None:
        what = "a loss of records is" if losses == 1 else f"{losses:.0f} losses of records are"
        yield Reading(losses, f"{what} not acknowledged")


def first_stage(part: str) -> str:
    """The first stage of the flow that stands or falls with the part; empty: none."""
    return next((stage for stage, parts in PARTS.items() if parts and part.startswith(parts)), "")


def _is_of_stack(part: str) -> bool:
    return not part.startswith(OWN_PARTS) and pipeline_of_scorer(part) is None


def _is_own(part: str, pipeline: str) -> bool:
    return part.startswith(OWN_PARTS) and part.partition("-")[2] == pipeline
