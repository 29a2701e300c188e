"""What fails again and again, does not answer, was restarted, or was lost."""

from __future__ import annotations

from collections.abc import Iterator

from contract import metrics
from contract.restarts import OFTEN, RECENT_S, trouble_of
from monitoring.collect.scrape import pipeline_of_scorer
from monitoring.judge.stage import Problem, StageInputs

IN_A_ROW = 3
PULLS_IN_A_ROW = 10
"""A turn takes two seconds, and a registry that is away for some of them is no trouble."""
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


def silent_parts(look: StageInputs, stage: str) -> Iterator[Problem]:
    """Parts whose metrics cannot be read."""
    for part, why in look.now.silent.items():
        if _is_of(part, stage, look.pipeline.name):
            yield Problem(f"silent:{part}", f"{part} does not answer: {why}", f"./hotpath logs {part}")


def silent_scorers(look: StageInputs) -> Iterator[Problem]:
    """Scorers that did not answer twice in a row: one that has just ended is still listed for a moment."""
    name = look.pipeline.name
    before = look.before.silent if look.before else {}
    for scorer in look.now.silent.keys() & before.keys():
        if pipeline_of_scorer(scorer) == name:
            text = f"the scorer {scorer} does not answer: {look.now.silent[scorer]}"
            yield Problem(f"silent:{scorer}", text, f"./hotpath logs scorers-{name}")


def restarted_parts(look: StageInputs, stage: str) -> Iterator[Problem]:
    """Parts that ended themselves, or were started again often; each is told by the first stage that needs it."""
    for part in sorted({restart.part for restart in look.restarts}):
        trouble = trouble_of(part, look.restarts, look.now.time_s)
        if trouble is not None and _first_stage(part, look.pipeline.name) == stage:
            yield Problem(f"restarted:{part}", trouble, f"./hotpath logs {part}")


def failing_steps(look: StageInputs, *steps: str) -> Iterator[Problem]:
    """Steps of the streaming job that fail in a row, and a hot query that ends again and again."""
    name = look.pipeline.name
    for step in steps:
        failures = look.value(metrics.STREAM_FAILURES_IN_A_ROW, step=step) or 0
        if failures >= IN_A_ROW:
            text = f"the {step} has failed {failures:.0f} times in a row"
            yield Problem(f"failing:{step}", text, "./hotpath logs streaming")
    if "hot query" in steps:
        ends = look.windows.increase(metrics.STREAM_RESTARTS, pipeline=name)
        if ends >= OFTEN and look.windows.increase(metrics.STREAM_RESTARTS, RECENT_S, pipeline=name):
            text = f"the hot query ended {ends:.0f} times in ten minutes"
            yield Problem("query_ends", text, "./hotpath logs streaming")


def failing_training(look: StageInputs) -> Iterator[Problem]:
    failures = look.value(metrics.TRAINING_FAILURES) or 0
    if failures >= IN_A_ROW:
        reasons = [
            sample.labels["reason"] for sample in look.now.find(metrics.TRAINING_FAILING, pipeline=look.pipeline.name)
        ]
        why = f": {reasons[0]}" if reasons else ""
        yield Problem("failing", f"the last {failures:.0f} training runs failed{why}", "./hotpath logs trainer")


def failing_pull(look: StageInputs) -> Iterator[Problem]:
    failures = look.value(metrics.PULL_FAILURES_IN_A_ROW) or 0
    if failures >= PULLS_IN_A_ROW:
        text = f"no candidate could be copied from the registry in the last {failures:.0f} turns"
        yield Problem("pull", text, "./hotpath logs pull")


def lost_records(look: StageInputs) -> Iterator[Problem]:
    """Losses that nobody has acknowledged."""
    losses = look.value(metrics.LOSSES_UNACKNOWLEDGED) or 0
    if losses:
        what = "a loss of records is" if losses == 1 else f"{losses:.0f} losses of records are"
        yield Problem("lost", f"{what} not acknowledged", "./hotpath losses list")


def _is_of(part: str, stage: str, pipeline: str) -> bool:
    """Whether a stage of the pipeline needs the part; a rollout or replay is of one pipeline alone."""
    own = ("rollout-", "replay-")
    if part.startswith(own) and part.partition("-")[2] != pipeline:
        return False
    return part.startswith(PARTS[stage])


def _first_stage(part: str, pipeline: str) -> str | None:
    return next((stage for stage in PARTS if _is_of(part, stage, pipeline)), None)
