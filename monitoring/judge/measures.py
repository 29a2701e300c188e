"""How each measure of `contract.alert_catalogue` is read, and how all alerts of a look are judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from contract.alert_catalogue import FIGURE_WORDS, UNDECIDED
from contract.metric_types import DECLARED, Declared
from monitoring.collect.counter_windows import CounterWindows
from monitoring.collect.scrape import Snapshot
from monitoring.judge import (
    bad_records,
    clocks_behind,
    failing,
    model_readings,
    serving_readings,
    silence_of_topics,
    stack_readings,
    standing_still,
)
from monitoring.judge.alert_rules import Judged, Rule, judged
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StackInputs, StageInputs
from monitoring.judge.undecided import undecided
from monitoring.judge.wording import printable

Read: TypeAlias = Callable[[StageInputs], Iterable[Reading]]
ReadStack: TypeAlias = Callable[[StackInputs], Iterable[Reading]]

_OF_PIPELINE: Final[Mapping[str, Read]] = {
    "models_missing": model_readings.missing_model,
    "model_age": model_readings.model_age,
    "clock_ahead": model_readings.clocks_ahead,
    "pinned": model_readings.pinned,
    "drift": model_readings.drift,
    "distinct_answers": model_readings.distinct_answers,
    "files_vanished": model_readings.vanished,
    "replay_lag": serving_readings.late_replay,
    "clock_behind": clocks_behind.clocks_behind,
    "questions_silence": silence_of_topics.no_questions,
    "labels_silence": silence_of_topics.no_labels,
    "import_silence": standing_still.forgotten_imports,
    "mirror_lag": standing_still.mirror_stands,
    "losses": failing.lost_records,
    "batch_stall": standing_still.no_batch,
    "tables_lag": standing_still.tables_stand,
    "tables_unknown": standing_still.tables_unknown,
    "step_failures": failing.failing_steps,
    "query_ends": failing.query_ends,
    "dead_letters": bad_records.dead_letters,
    "quarantined": bad_records.quarantined,
    "rows_lag": standing_still.rows_stand,
    "training_failures": failing.failing_training,
    "training_silence": standing_still.training_stands,
    "states_unsent": serving_readings.unsent_states,
    "pull_failures": failing.failing_pull,
    "scorer_trouble": serving_readings.no_scorer_starts,
    "silent_scorers": failing.silent_scorers,
    "scorer_errors": serving_readings.own_errors,
    "answer_seconds": serving_readings.answer_seconds,
    "outcomes_unread": serving_readings.unread_tables,
    "predictions_on_disk": serving_readings.predictions_on_disk,
    "predictions_lost": serving_readings.predictions_lost,
    "own_silent_parts": failing.own_silent_parts,
    "own_restarts": failing.own_restarted_parts,
    "unjudged": lambda _: (),
}
"""`unjudged` is read by the monitor, where it fails at a pipeline."""
_OF_STACK: Final[Mapping[str, ReadStack]] = {
    "engines_away": stack_readings.engines,
    "influx_away": stack_readings.influxdb,
    "graphite_away": stack_readings.graphite,
    "silent_parts": failing.silent_parts,
    "ended_parts": failing.ended_parts,
    "restarts": failing.restarted_parts,
    "watcher_silence": standing_still.watcher_blind,
    "disk_free": stack_readings.disk,
    "hdfs_free": stack_readings.hdfs_space,
    "blocks_missing": stack_readings.missing_blocks,
    "under_replicated": stack_readings.under_replicated,
    "unreadable_files": stack_readings.unreadable_files,
}
_SHOWN_BY: Final[Mapping[str, str]] = {
    "models_missing": "rollout-{pipeline}",
    "pinned": "rollout-{pipeline}",
    "scorer_trouble": "rollout-{pipeline}",
    "replay_lag": "replay-{pipeline}",
    "import_silence": "watcher",
    "tables_unknown": "streaming",
}
"""Of measures that mean something where they have no reading, the part that shows them: silent, it says nothing."""
_DECLARED: Final = {each.name: each for each in DECLARED}


def judge_pipeline(rules: Iterable[Rule], look: StageInputs) -> list[Judged]:
    """Every alert of a pipeline that is not off, in the order of the rules; last those about figures left undecided."""
    on = list(_on(rules))
    found = [each for rule in on if rule.measure != UNDECIDED for each in _judged(rule, look)]
    readings = list(undecided(look, found))
    return found + [each for rule in on if rule.measure == UNDECIDED for each in judged(rule, readings)]


def _judged(rule: Rule, look: StageInputs) -> list[Judged]:
    """Of what a silent part shows nothing is known: it stays as it was."""
    part = _SHOWN_BY.get(rule.measure.name, "").format(pipeline=look.pipeline.name)
    if part in look.now.silent or part in look.now.starting:
        return [Judged(replace(rule, no_data="keep"), None, "no_data")]
    return judged(rule, list(_read(rule, look)))


def judge_stack(rules: Iterable[Rule], look: StackInputs) -> list[Judged]:
    """The same for the stack as a whole."""
    return [each for rule in _on(rules) for each in judged(rule, list(_read_stack(rule, look)))]


def _on(rules: Iterable[Rule]) -> Iterator[Rule]:
    return (rule for rule in rules if not rule.is_off and rule.threshold is not None)


def _read(rule: Rule, look: StageInputs) -> Iterable[Reading]:
    name = rule.measure.name
    if name in FIGURE_WORDS:
        return model_readings.figure(look, name, rule.minimum, rule.slice)
    if name in _OF_PIPELINE:
        return _OF_PIPELINE[name](look)
    return _scraped(_DECLARED[name], look.now, look.windows, {"pipeline": look.pipeline.name})


def _read_stack(rule: Rule, look: StackInputs) -> Iterable[Reading]:
    name = rule.measure.name
    if name in _OF_STACK:
        return _OF_STACK[name](look)
    return _scraped(_DECLARED[name], look.now, look.windows, {})


def _scraped(
    declared: Declared, now: Snapshot, windows: CounterWindows, wanted: Mapping[str, str]
) -> Iterator[Reading]:
    """A metric as parts show it, one reading for each set of its other labels; of several parts the largest.

    Of a counter it is the increase in ten minutes, from the second look on.
    """
    values: dict[str, float] = {}
    for labels, value in _samples(declared, now, windows, wanted):
        item = ", ".join(
            f"{name}={labels[name]}" for name in declared.labels if name not in wanted and labels.get(name)
        )
        values[item] = max(value, values.get(item, value))
    for item, value in values.items():
        of = f" ({printable(item)})" if item else ""
        yield Reading(value, f"{declared.name}{of} is {value:,.6g} {declared.unit}", item)


def _samples(
    declared: Declared, now: Snapshot, windows: CounterWindows, wanted: Mapping[str, str]
) -> Iterator[tuple[Mapping[str, str], float]]:
    if declared.kind == "counter":
        yield from windows.increases_of(f"{declared.name}_total", wanted)
        return
    for sample in now.samples:
        if sample.name == declared.name and wanted.items() <= sample.labels.items():
            yield sample.labels, sample.value


def counters_of(rules: Iterable[Rule]) -> set[str]:
    """The names of the samples of counters that these rules need windows of."""
    named = (_DECLARED.get(rule.measure.name) for rule in rules)
    return {f"{each.name}_total" for each in named if each is not None and each.kind == "counter"}
