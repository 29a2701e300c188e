"""The flow as the page shows it: each stage with its rate, its lag, and whether it is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from contract import metrics
from contract.metrics import Counter, Gauge
from contract.pipeline import Pipeline
from monitoring.collect.rates import mean, rate
from monitoring.collect.scrape import Sample, Snapshot


@dataclass(frozen=True)
class Stage:
    """One box of the picture. `problem` is None while it is well; `command` looks closer."""

    name: str
    figures: tuple[str, ...]
    problem: str | None
    command: str


@dataclass(frozen=True)
class StageInputs:
    """Two snapshots, and the pipeline that they are looked at for."""

    pipeline: Pipeline
    before: Snapshot | None
    now: Snapshot
    lake_read_s: float | None = None
    """When the outcomes were last read; None: not yet."""

    def rate(self, metric: Counter, **labels: str) -> float | None:
        return rate(self.before, self.now, metric, **labels)

    def value(self, metric: Counter | Gauge, **labels: str) -> float | None:
        return self.now.largest(metric, pipeline=self.pipeline.name, **labels)

    def since(self, moment_s: float | None) -> float | None:
        """Seconds from a moment to this look; a clock that is behind makes them no less than 0."""
        return None if moment_s is None else max(0.0, self.now.time_s - moment_s)


PART_OF_STAGE = {
    "producers": ("replay",),
    "mirror": ("watcher",),
    "events": ("streaming",),
    "rows": ("streaming",),
    "training": ("trainer",),
    "rollout": ("pull", "rollout", "socket_manager"),
    "scorers": ("scorer",),
    "outcomes": ("streaming",),
}
"""Which parts a stage stands or falls with, by the beginning of their names, in the order of the flow."""


def stages(look: StageInputs) -> list[Stage]:
    """The stages of one pipeline in the order in which data meets them."""
    built = {name: make(look) for name, make in _STAGES.items()}
    return [_with_silence(look, name, stage) for name, stage in built.items()]


def _with_silence(look: StageInputs, name: str, stage: Stage) -> Stage:
    """A stage one of whose parts does not answer is broken, whatever its last figures were."""
    for part, why in look.now.silent.items():
        mine = any(part.startswith(prefix) for prefix in PART_OF_STAGE[name])
        other = part.startswith("rollout-") and part != f"rollout-{look.pipeline.name}"
        if mine and not other:
            return Stage(stage.name, stage.figures, f"{part} does not answer: {why}", f"./hotpath logs {part}")
    return stage


def _producers(look: StageInputs) -> Stage:
    own = (look.pipeline.events.topic, look.pipeline.label.topic, *look.pipeline.facts)
    produced = [look.rate(metrics.REPLAY_PRODUCED, topic=topic) for topic in own]
    known = [value for value in produced if value is not None]
    behind = look.now.largest(metrics.REPLAY_BEHIND_SECONDS)
    figures = (_per_second(sum(known) if known else None), _seconds("behind", behind))
    problem = f"the replay is {behind:.0f} s behind" if behind is not None and behind > 30 else None
    return Stage("producers", figures, problem, "./hotpath logs replay")


def _mirror(look: StageInputs) -> Stage:
    topics = look.pipeline.mirrored_topics
    records = [look.now.total(metrics.MIRROR_LAG_RECORDS, topic=topic) for topic in topics]
    moments = [look.now.smallest(metrics.MIRROR_CAUGHT_UP_TO_SECONDS, topic=topic) for topic in topics]
    behind = look.since(min((moment for moment in moments if moment is not None), default=None))
    blind = look.since(look.now.largest(metrics.WATCHER_LOOKED_SECONDS))
    importing = any(look.now.largest(metrics.IMPORT_OPEN, topic=topic) for topic in topics)
    known = [value for value in records if value is not None]
    problem, command = None, "./hotpath logs mirror"
    if blind is not None and blind > 60:
        problem, command = f"the watcher has not seen both brokers for {blind:.0f} s", "./hotpath logs watcher"
    elif behind is not None and behind > 60 and not importing:
        problem = f"the mirror is {behind:.0f} s behind"
    figures = (
        _count("records behind", sum(known) if known else None),
        _seconds("behind", behind),
        "an import is open" if importing else "",
    )
    return Stage("mirror", figures, problem, command)


def _events(look: StageInputs) -> Stage:
    decoded = look.rate(metrics.STREAM_RECORDS, pipeline=look.pipeline.name)
    dead = look.now.total(metrics.STREAM_RECORDS, pipeline=look.pipeline.name, table="dead_letters")
    behind = look.since(look.value(metrics.STREAM_CAUGHT_UP_TO_SECONDS))
    problem = f"the tables are {behind:.0f} s behind" if behind is not None and behind > 120 else None
    figures = (_per_second(decoded), _seconds("behind", behind), _count("dead letters", dead))
    return Stage("events", figures, problem, "./hotpath logs streaming")


def _rows(look: StageInputs) -> Stage:
    name, bucket_s = look.pipeline.name, look.pipeline.lake.buckets.total_seconds()
    built = look.now.total(metrics.BUILT_BUCKETS, pipeline=name, table="rows")
    upto = look.now.largest(metrics.BUILT_UPTO_SECONDS, pipeline=name, table="rows")
    behind = look.since(upto)
    limit = 300 + 2 * bucket_s
    problem = f"nothing due in the last {behind:.0f} s is built" if behind is not None and behind > limit else None
    return Stage(
        "rows", (_count("buckets built", built), _seconds("behind", behind)), problem, "./hotpath logs streaming"
    )


def _training(look: StageInputs) -> Stage:
    runs = look.now.total(metrics.TRAINING_RUNS, pipeline=look.pipeline.name)
    auc = look.value(metrics.TRAINING_AUC)
    idle = look.value(metrics.TRAINING_IDLE)
    figures = (
        _count("candidates", runs),
        "AUC on holdout: " + ("not known" if auc is None else f"{auc:.3f}"),
        "idle: no new rows" if idle else "",
    )
    return Stage("training", figures, None, "./hotpath logs trainer")


def _rollout(look: StageInputs) -> Stage:
    switches = look.now.total(metrics.SWITCHES, pipeline=look.pipeline.name, outcome="done")
    pins = look.now.find(metrics.MODEL_PINNED, pipeline=look.pipeline.name)
    holders = [pin.labels["who"] for pin in pins]
    unsent = look.value(metrics.UNSENT_MODEL_STATES)
    was_unsent = look.before and look.before.largest(metrics.UNSENT_MODEL_STATES, pipeline=look.pipeline.name)
    problem = f"{unsent:.0f} model states wait for the on-prem broker" if unsent and was_unsent else None
    figures = (_count("switches", switches), f"pinned by {holders[0]}" if holders else "")
    return Stage("rollout", figures, problem, f"./hotpath logs rollout-{look.pipeline.name}")


def _scorers(look: StageInputs) -> Stage:
    name = look.pipeline.name
    asked = look.rate(metrics.REQUESTS, pipeline=name)
    failed = sum(s.value for s in look.now.find(metrics.REQUESTS, pipeline=name, status="500"))
    spent_s = mean(look.before, look.now, metrics.REQUEST_SECONDS, pipeline=name)
    speed = "" if spent_s is None else f"{1e6 * spent_s:.0f} µs in the scorer"
    problem = f"{failed:.0f} answers were errors of ours" if failed else None
    return Stage("scorers", (_per_second(asked), speed), problem, "./hotpath status")


def _outcomes(look: StageInputs) -> Stage:
    name = look.pipeline.name
    logged = look.rate(metrics.PREDICTIONS_LOGGED, pipeline=name, outcome="delivered")
    figures, closer = (_per_second(logged),), f"./hotpath logs rollout-{name}"
    unread_s = 0.0 if look.lake_read_s is None else look.now.time_s - look.lake_read_s
    if unread_s > 60:
        away = f"the tables could not be read for {unread_s:.0f} s: is HDFS well?"
        return Stage("outcomes", figures, away, "./hotpath logs namenode")
    waiting = look.value(metrics.PREDICTION_SPOOL)
    if waiting:
        on_disk = f"{waiting / 1e6:,.1f} MB of predictions wait on disk: is the on-prem Kafka well?"
        return Stage("outcomes", figures, on_disk, "./hotpath logs kafka-onprem")
    lost = sum(s.value for s in look.now.find(metrics.PREDICTIONS_LOGGED, pipeline=name) if _is_lost(s))
    return Stage("outcomes", figures, f"{lost:.0f} predictions could not be logged" if lost else None, closer)


def _is_lost(predictions: Sample) -> bool:
    return predictions.labels["outcome"] in ("refused", "dropped")


_STAGES: dict[str, Callable[[StageInputs], Stage]] = {
    "producers": _producers,
    "mirror": _mirror,
    "events": _events,
    "rows": _rows,
    "training": _training,
    "rollout": _rollout,
    "scorers": _scorers,
    "outcomes": _outcomes,
}


def broken(all_stages: list[Stage]) -> Iterator[Stage]:
    """The stages that are not well, in the order of the flow."""
    return (stage for stage in all_stages if stage.problem is not None)


def _per_second(value: float | None) -> str:
    return "rate not known" if value is None else f"{value:.3g} a second"


def _seconds(what: str, value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s {what}"


def _count(what: str, value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} {what}"
