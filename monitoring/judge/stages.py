"""The flow as the page shows it: each stage with its rate, its lag, and what is not well in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from contract import metrics
from monitoring.collect.rates import mean
from monitoring.judge.stage import Problem, Stage, StageInputs

Figures = Callable[[StageInputs], tuple[str, ...]]
STAGES: Final = ("producers", "mirror", "events", "rows", "training", "rollout", "scorers", "outcomes")
"""In the order in which data meets them."""


def stages(look: StageInputs) -> list[Stage]:
    """The stages of one pipeline, with their figures."""
    return [Stage(name, _FIGURES[name](look)) for name in STAGES]


def with_problems(stage: Stage, problems: Iterable[tuple[str, Problem]]) -> Stage:
    """Of the problems, each with the stage that it belongs to, those of this one."""
    return replace(stage, problems=tuple(problem for name, problem in problems if name == stage.name))


def broken(all_stages: Iterable[Stage]) -> Iterator[Stage]:
    """The stages that are not well, in the order of the flow."""
    return (stage for stage in all_stages if stage.problems)


def _producers(look: StageInputs) -> tuple[str, ...]:
    own = (look.pipeline.events.topic, look.pipeline.label.topic, *look.pipeline.facts)
    produced = [look.rate(metrics.REPLAY_PRODUCED, topic=topic) for topic in own]
    known = [value for value in produced if value is not None]
    behind = look.now.largest(metrics.REPLAY_BEHIND_SECONDS)
    return _per_second(sum(known) if known else None), _seconds("behind", behind)


def _mirror(look: StageInputs) -> tuple[str, ...]:
    topics = look.pipeline.mirrored_topics
    records = [look.now.total(metrics.MIRROR_LAG_RECORDS, topic=topic) for topic in topics]
    moments = [look.now.smallest(metrics.MIRROR_CAUGHT_UP_TO_SECONDS, topic=topic) for topic in topics]
    known = [value for value in records if value is not None]
    behind = look.since(min((moment for moment in moments if moment is not None), default=None))
    return (
        _count("records behind", sum(known) if known else None),
        _seconds("behind", behind),
        "an import is open" if look.is_importing else "",
    )


def _events(look: StageInputs) -> tuple[str, ...]:
    decoded = look.rate(metrics.STREAM_RECORDS, pipeline=look.pipeline.name)
    dead = look.now.total(metrics.STREAM_RECORDS, pipeline=look.pipeline.name, table="dead_letters")
    quarantined_questions = look.now.total(metrics.QUARANTINED_QUESTIONS, pipeline=look.pipeline.name)
    return (
        _per_second(decoded),
        _seconds("behind", look.since(look.value(metrics.STREAM_CAUGHT_UP_TO_SECONDS))),
        _count("dead letters", dead),
        _count("quarantined", quarantined_questions or None),
    )


def _rows(look: StageInputs) -> tuple[str, ...]:
    built = look.now.total(metrics.BUILT_BUCKETS, pipeline=look.pipeline.name, table="rows")
    upto = look.value(metrics.BUILT_UPTO_SECONDS, table="rows")
    return _count("buckets built", built), _seconds("behind", look.since(upto))


def _training(look: StageInputs) -> tuple[str, ...]:
    runs = look.now.total(metrics.TRAINING_RUNS, pipeline=look.pipeline.name)
    auc = look.value(metrics.TRAINING_AUC)
    return (
        _count("candidates", runs),
        look.pipeline.training.algorithm,
        "AUC on holdout: " + ("not known" if auc is None else f"{auc:.3f}"),
        "idle: no new rows" if look.value(metrics.TRAINING_IDLE) else "",
        "waiting: too few rows yet" if look.value(metrics.TRAINING_WAITING) else "",
    )


def _rollout(look: StageInputs) -> tuple[str, ...]:
    switches = look.now.total(metrics.SWITCHES, pipeline=look.pipeline.name, outcome="done")
    holders = [pin.labels["who"] for pin in look.now.find(metrics.MODEL_PINNED, pipeline=look.pipeline.name)]
    return _count("switches", switches), f"pinned by {holders[0]}" if holders else ""


def _scorers(look: StageInputs) -> tuple[str, ...]:
    name = look.pipeline.name
    spent_s = mean(look.before, look.now, metrics.REQUEST_SECONDS, pipeline=name)
    speed = "" if spent_s is None else f"{1e6 * spent_s:.0f} µs in the scorer"
    return _per_second(look.rate(metrics.REQUESTS, pipeline=name)), speed


def _outcomes(look: StageInputs) -> tuple[str, ...]:
    return (_per_second(look.rate(metrics.PREDICTIONS_LOGGED, pipeline=look.pipeline.name, outcome="delivered")),)


_FIGURES: dict[str, Figures] = {
    "producers": _producers,
    "mirror": _mirror,
    "events": _events,
    "rows": _rows,
    "training": _training,
    "rollout": _rollout,
    "scorers": _scorers,
    "outcomes": _outcomes,
}


def _per_second(value: float | None) -> str:
    return "rate not known" if value is None else f"{value:.3g} a second"


def _seconds(what: str, value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s {what}"


def _count(what: str, value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} {what}"
