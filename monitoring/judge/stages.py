"""The flow as the page shows it: each stage with its rate, its lag, and what is not well in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from contract import metrics
from monitoring.collect.rates import mean
from monitoring.judge.bad_records import dead_letters, quarantined
from monitoring.judge.clocks_behind import clocks_behind
from monitoring.judge.failing import (
    failing_pull,
    failing_steps,
    failing_training,
    lost_records,
    restarted_parts,
    silent_parts,
    silent_scorers,
)
from monitoring.judge.stage import Problem, Stage, StageInputs
from monitoring.judge.standing_still import forgotten_imports, mirror_stands, rows_stand, tables_stand, training_stands

Figures = Callable[[StageInputs], tuple[str, ...]]
Judge = Callable[[StageInputs], Iterable[Problem]]


def stages(look: StageInputs) -> list[Stage]:
    """The stages of one pipeline in the order in which data meets them."""
    return [Stage(name, figures(look), tuple(_problems(name, look))) for name, figures in _FIGURES.items()]


def broken(all_stages: Iterable[Stage]) -> Iterator[Stage]:
    """The stages that are not well, in the order of the flow."""
    return (stage for stage in all_stages if stage.problems)


def _problems(name: str, look: StageInputs) -> Iterator[Problem]:
    """A part that does not answer comes first: what its last figures said is old."""
    yield from silent_parts(look, name)
    for judge in _JUDGES[name]:
        yield from judge(look)
    yield from restarted_parts(look, name)


def _producers(look: StageInputs) -> tuple[str, ...]:
    own = (look.pipeline.events.topic, look.pipeline.label.topic, *look.pipeline.facts)
    produced = [look.rate(metrics.REPLAY_PRODUCED, topic=topic) for topic in own]
    known = [value for value in produced if value is not None]
    behind = look.now.largest(metrics.REPLAY_BEHIND_SECONDS)
    return _per_second(sum(known) if known else None), _seconds("behind", behind)


def _late_replay(look: StageInputs) -> Iterator[Problem]:
    behind = look.now.largest(metrics.REPLAY_BEHIND_SECONDS)
    if behind is not None and behind > 30:
        command = f"./hotpath logs replay-{look.pipeline.name}"
        yield Problem("behind", f"the replay is {behind:.0f} s behind", command)


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
        "AUC on holdout: " + ("not known" if auc is None else f"{auc:.3f}"),
        "idle: no new rows" if look.value(metrics.TRAINING_IDLE) else "",
        "waiting: too few rows yet" if look.value(metrics.TRAINING_WAITING) else "",
    )


def _rollout(look: StageInputs) -> tuple[str, ...]:
    switches = look.now.total(metrics.SWITCHES, pipeline=look.pipeline.name, outcome="done")
    holders = [pin.labels["who"] for pin in look.now.find(metrics.MODEL_PINNED, pipeline=look.pipeline.name)]
    return _count("switches", switches), f"pinned by {holders[0]}" if holders else ""


def _unsent_states(look: StageInputs) -> Iterator[Problem]:
    """Two looks in a row: one alone may fall between a record and its confirmation."""
    unsent, name = look.value(metrics.UNSENT_MODEL_STATES), look.pipeline.name
    if unsent and look.before and look.before.largest(metrics.UNSENT_MODEL_STATES, pipeline=name):
        text = f"{unsent:.0f} model states wait for the on-prem broker"
        yield Problem("unsent", text, f"./hotpath logs rollout-{name}")


def _scorers(look: StageInputs) -> tuple[str, ...]:
    name = look.pipeline.name
    spent_s = mean(look.before, look.now, metrics.REQUEST_SECONDS, pipeline=name)
    speed = "" if spent_s is None else f"{1e6 * spent_s:.0f} µs in the scorer"
    return _per_second(look.rate(metrics.REQUESTS, pipeline=name)), speed


def _no_scorer_starts(look: StageInputs) -> Iterator[Problem]:
    for sample in look.now.find(metrics.HOST_TROUBLE, pipeline=look.pipeline.name):
        text = f"no scorer can start on this host: {sample.labels['reason']}"
        yield Problem("host", text, f"./hotpath logs scorers-{look.pipeline.name}")


def _own_errors(look: StageInputs) -> Iterator[Problem]:
    failed = look.windows.increase(metrics.REQUESTS, pipeline=look.pipeline.name, status="500")
    if failed:
        text = f"{failed:.0f} answers of the last ten minutes were errors of ours"
        yield Problem("errors", text, f"./hotpath logs scorers-{look.pipeline.name}")


def _outcomes(look: StageInputs) -> tuple[str, ...]:
    return (_per_second(look.rate(metrics.PREDICTIONS_LOGGED, pipeline=look.pipeline.name, outcome="delivered")),)


def _unread_tables(look: StageInputs) -> Iterator[Problem]:
    unread_s = look.since(look.lake_read_s)
    if unread_s is not None and unread_s > 60:
        text = f"the tables could not be read for {unread_s:.0f} s: is HDFS well?"
        yield Problem("unread", text, "./hotpath logs namenode")


def _undelivered(look: StageInputs) -> Iterator[Problem]:
    name = look.pipeline.name
    waiting = look.value(metrics.PREDICTION_SPOOL)
    if waiting:
        text = f"{waiting / 1e6:,.1f} MB of predictions wait on disk: is the on-prem Kafka well?"
        yield Problem("on_disk", text, "./hotpath logs kafka-onprem")
    by_outcome = look.windows.by_label(metrics.PREDICTIONS_LOGGED, "outcome", pipeline=name)
    lost = by_outcome.get("refused", 0) + by_outcome.get("dropped", 0)
    if lost:
        text = f"{lost:.0f} predictions of the last ten minutes could not be logged"
        yield Problem("lost", text, f"./hotpath logs scorers-{name}")


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
_JUDGES: dict[str, tuple[Judge, ...]] = {
    "producers": (_late_replay, clocks_behind),
    "mirror": (forgotten_imports, mirror_stands, lost_records),
    "events": (
        tables_stand,
        lambda look: failing_steps(look, "hot query", "losses", "upkeep"),
        dead_letters,
        quarantined,
    ),
    "rows": (lambda look: failing_steps(look, "rows job"), rows_stand),
    "training": (failing_training, training_stands),
    "rollout": (_unsent_states, failing_pull),
    "scorers": (_no_scorer_starts, silent_scorers, _own_errors),
    "outcomes": (_unread_tables, _undelivered),
}


def _per_second(value: float | None) -> str:
    return "rate not known" if value is None else f"{value:.3g} a second"


def _seconds(what: str, value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s {what}"


def _count(what: str, value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} {what}"
