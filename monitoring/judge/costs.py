"""What answers and retrains cost in processor time: shown as metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from contract import metrics
from contract.metric_types import count_name, sample_name, sum_name
from contract.metrics import PROCESS_STARTED_SECONDS
from contract.pipeline import Pipeline
from monitoring.collect.counter_windows import CounterWindows
from monitoring.collect.scrape import Sample, Snapshot, pipeline_of_scorer

ANSWERS_WITHIN_S: Final = 600.0
RETRAINS_WITHIN_S: Final = 1800.0
FEWEST_ANSWERS: Final = 1000
"""Of fewer, what the scorers do besides answering would be most of the figure."""
ANSWERS: Final = "answers"
ANSWERING_S: Final = "answering_s"
RUNS: Final = "runs"
RUN_S: Final = "run_s"
TRAINING_CPU_S: Final = "training_cpu_s"
AMOUNTS: Final = (ANSWERS, ANSWERING_S, RUNS, RUN_S, TRAINING_CPU_S)
"""What only grows: processor seconds, answers or runs, of one pipeline each but for the last."""
_COUNTED: Final = {
    sample_name(metrics.REQUESTS): ANSWERS,
    count_name(metrics.TRAINING_SECONDS): RUNS,
    sum_name(metrics.TRAINING_SECONDS): RUN_S,
}


class Costs:
    """Remembers by how much each amount grew in the last half hour."""

    def __init__(self) -> None:
        self._grown = CounterWindows(window_s=RETRAINS_WITHIN_S)
        self._grown.watch(AMOUNTS)

    def show(self, now: Snapshot, pipelines: Iterable[Pipeline]) -> None:
        """Take a scrape that holds the monitor's own samples too, and show the figures."""
        self._grown.update(replace(now, samples=tuple(_amounts(now))))
        names = [pipeline.name for pipeline in pipelines]
        answers = {name: self._per_million_answers(name) for name in names}
        retrains = {name: self._per_run(name, names) for name in names}
        metrics.ANSWERS_CPU_SECONDS.replace({(name,): cost for name, cost in answers.items() if cost is not None})
        metrics.RETRAIN_CPU_SECONDS.replace({(name,): cost for name, cost in retrains.items() if cost is not None})

    def _per_million_answers(self, pipeline: str) -> float | None:
        answers = self._grown.increase_of(ANSWERS, ANSWERS_WITHIN_S, pipeline=pipeline)
        spent_s = self._grown.increase_of(ANSWERING_S, ANSWERS_WITHIN_S, pipeline=pipeline)
        return 1e6 * spent_s / answers if answers >= FEWEST_ANSWERS else None

    def _per_run(self, pipeline: str, pipelines: Iterable[str]) -> float | None:
        """Runs come one at a time: a pipeline's share of all processor time is its share of the time in runs."""
        runs = self._grown.increase_of(RUNS, pipeline=pipeline)
        in_runs_s = {name: self._grown.increase_of(RUN_S, pipeline=name) for name in pipelines}
        if not runs or not sum(in_runs_s.values()):
            return None
        share = in_runs_s[pipeline] / sum(in_runs_s.values())
        return self._grown.increase_of(TRAINING_CPU_S) * share / runs


def _amounts(now: Snapshot) -> Iterator[Sample]:
    """What each process says of an amount, under the amount's name; and when each process started."""
    for sample in now.samples:
        if sample.name in _COUNTED:
            yield replace(sample, name=_COUNTED[sample.name])
        elif sample.name == PROCESS_STARTED_SECONDS:
            yield sample
        else:
            yield from _cpu(sample)


def _cpu(sample: Sample) -> Iterator[Sample]:
    """What a sample of processor time is spent on; nothing of any other sample."""
    if sample.name == f"{metrics.PROCESS_CPU_SECONDS}_total":
        pipeline = pipeline_of_scorer(sample.part)
        if pipeline is not None:
            yield Sample(sample.part, ANSWERING_S, {"pipeline": pipeline}, sample.value)
        elif sample.part == "trainer":
            yield Sample(sample.part, TRAINING_CPU_S, {}, sample.value)
    elif sample.name == sample_name(metrics.PART_CPU_SECONDS) and sample.labels["part"] == "h2o":
        yield Sample("h2o", TRAINING_CPU_S, {}, sample.value)
