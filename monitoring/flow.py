"""The flow as the page shows it: each stage with its rate, its lag, and whether it is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitoring.rates import rate
from monitoring.scrape import Snapshot
from streaming.pipeline import Pipeline


@dataclass(frozen=True)
class Stage:
    """One box of the picture. `problem` is None while it is well; `command` looks closer."""

    name: str
    figures: tuple[str, ...]
    problem: str | None
    command: str


@dataclass(frozen=True)
class Look:
    """Two snapshots and the pipeline that they are looked at for."""

    pipeline: Pipeline
    before: Snapshot | None
    now: Snapshot

    def rate(self, name: str, **labels: str) -> float | None:
        return rate(self.before, self.now, name, **labels)

    def value(self, name: str, **labels: str) -> float | None:
        return self.now.largest(name, pipeline=self.pipeline.name, **labels)


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


def stages(look: Look) -> list[Stage]:
    """The stages of one pipeline in the order in which data meets them."""
    built = {name: make(look) for name, make in _STAGES.items()}
    return [_with_silence(look, name, stage) for name, stage in built.items()]


def _with_silence(look: Look, name: str, stage: Stage) -> Stage:
    """A stage one of whose parts does not answer is broken, whatever its last figures were."""
    for part, why in look.now.silent.items():
        mine = any(part.startswith(prefix) for prefix in PART_OF_STAGE[name])
        other = part.startswith("rollout-") and part != f"rollout-{look.pipeline.name}"
        if mine and not other:
            return Stage(stage.name, stage.figures, f"{part} does not answer: {why}", f"./hotpath logs {part}")
    return stage


def _producers(look: Look) -> Stage:
    own = (look.pipeline.events.topic, look.pipeline.label.topic, *look.pipeline.facts)
    produced = [look.rate("hotpath_replay_produced_records_total", topic=topic) for topic in own]
    known = [value for value in produced if value is not None]
    behind = look.now.largest("hotpath_replay_behind_seconds")
    figures = (_per_second(sum(known) if known else None), _seconds("behind", behind))
    problem = f"the replay is {behind:.0f} s behind" if behind is not None and behind > 30 else None
    return Stage("producers", figures, problem, "./hotpath logs replay")


def _mirror(look: Look) -> Stage:
    records = look.now.total("hotpath_mirror_lag_records", pipeline=look.pipeline.name)
    seconds = look.value("hotpath_mirror_lag_seconds")
    problem = f"the mirror is {seconds:.0f} s behind" if seconds is not None and seconds > 30 else None
    return Stage(
        "mirror", (_count("records behind", records), _seconds("behind", seconds)), problem, "./hotpath logs mirror"
    )


def _events(look: Look) -> Stage:
    name = look.pipeline.name
    decoded = look.rate("hotpath_streaming_records_total", pipeline=name)
    dead = look.now.total("hotpath_streaming_dead_letters_total", pipeline=name)
    lag = look.value("hotpath_streaming_lag_seconds")
    problem = f"the hot query is {lag:.0f} s behind" if lag is not None and lag > 60 else None
    figures = (_per_second(decoded), _seconds("behind", lag), _count("dead letters", dead))
    return Stage("events", figures, problem, "./hotpath logs streaming")


def _rows(look: Look) -> Stage:
    built = look.now.total("hotpath_rows_buckets_built_total", pipeline=look.pipeline.name)
    overdue = look.value("hotpath_rows_oldest_unbuilt_seconds")
    limit = 300 + look.pipeline.lake.buckets.total_seconds()
    problem = f"the oldest bucket has waited {overdue:.0f} s" if overdue is not None and overdue > limit else None
    figures = (_count("buckets built", built), _seconds("oldest waiting", overdue))
    return Stage("rows", figures, problem, "./hotpath logs streaming")


def _training(look: Look) -> Stage:
    runs = look.now.total("hotpath_training_candidates_total", pipeline=look.pipeline.name)
    auc = look.value("hotpath_training_auc")
    idle = look.value("hotpath_training_idle")
    figures = (
        _count("candidates", runs),
        "AUC on holdout: " + ("not known" if auc is None else f"{auc:.3f}"),
        "idle: no new rows" if idle else "",
    )
    return Stage("training", figures, None, "./hotpath logs trainer")


def _rollout(look: Look) -> Stage:
    switches = look.now.total("hotpath_serving_switches_total", pipeline=look.pipeline.name, outcome="done")
    pinned = look.value("hotpath_rollout_pinned")
    unsent = look.value("hotpath_rollout_unsent_model_states")
    problem = f"{unsent:.0f} model states wait for the on-prem broker" if unsent else None
    figures = (_count("switches", switches), "pinned by hand" if pinned else "")
    return Stage("rollout", figures, problem, f"./hotpath logs rollout-{look.pipeline.name}")


def _scorers(look: Look) -> Stage:
    name = look.pipeline.name
    asked = look.rate("hotpath_scorer_requests_total", pipeline=name)
    failed = sum(s.value for s in look.now.find("hotpath_scorer_requests_total", pipeline=name, status="500"))
    spent, count = (look.rate(f"hotpath_scorer_request_seconds_{part}", pipeline=name) for part in ("sum", "count"))
    mean = f"{1e6 * spent / count:.0f} µs in the scorer" if spent is not None and count else ""
    problem = f"{failed:.0f} answers were errors of ours" if failed else None
    return Stage("scorers", (_per_second(asked), mean), problem, "./hotpath status")


def _outcomes(look: Look) -> Stage:
    name = look.pipeline.name
    logged = look.rate("hotpath_scorer_predictions_total", pipeline=name, outcome="delivered")
    lost = sum(
        look.now.total("hotpath_scorer_predictions_total", pipeline=name, outcome=o) or 0 for o in ("failed", "dropped")
    )
    problem = f"{lost:.0f} predictions could not be logged" if lost else None
    return Stage("outcomes", (_per_second(logged),), problem, f"./hotpath logs rollout-{name}")


_STAGES: dict[str, Callable[[Look], Stage]] = {
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
