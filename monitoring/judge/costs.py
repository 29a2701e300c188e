"""What answers and retrains cost in processor time: shown as metrics."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from contract import metrics
from contract.metric_types import count_name, sample_name, sum_name
from contract.pipeline import Pipeline
from monitoring.collect.scrape import Sample, Snapshot, pipeline_of_scorer

ANSWERS_WITHIN_S: Final = 600.0
RETRAINS_WITHIN_S: Final = 1800.0
FEWEST_ANSWERS: Final = 1000
"""Of fewer, what the scorers do besides answering would be most of the figure."""
STEP_S: Final = 15.0
YOUNG_S: Final = 60.0
"""A process that is not older than this when it is first seen has counted from 0 since then."""


class Amount(NamedTuple):
    """Something that only grows: processor seconds, answers or runs, of one pipeline or (with an empty name) of all."""

    what: str
    pipeline: str


ANSWERS: Final = "answers"
ANSWERING_S: Final = "answering_s"
RUNS: Final = "runs"
RUN_S: Final = "run_s"
TRAINING_CPU_S: Final = "training_cpu_s"
Series = tuple[str, Amount]
"""The process that counts, and what."""


@dataclass
class Costs:
    """Remembers by how much each amount grew in the last half hour."""

    _before: dict[Series, float] = field(default_factory=dict)
    _parts: set[str] = field(default_factory=set)
    _grown: deque[tuple[float, dict[Amount, float]]] = field(default_factory=deque)
    """Moment, and what was added within `STEP_S` of it."""

    def show(self, now: Snapshot, pipelines: Iterable[Pipeline]) -> None:
        """Take a scrape that holds the monitor's own samples too, and show the figures."""
        self._take(now)
        names = [pipeline.name for pipeline in pipelines]
        answers = {name: self._per_million_answers(name, now.time_s) for name in names}
        retrains = {name: self._per_run(name, names, now.time_s) for name in names}
        metrics.ANSWERS_CPU_SECONDS.replace({(name,): cost for name, cost in answers.items() if cost is not None})
        metrics.RETRAIN_CPU_SECONDS.replace({(name,): cost for name, cost in retrains.items() if cost is not None})

    def _per_million_answers(self, pipeline: str, now_s: float) -> float | None:
        found = self._within(now_s - ANSWERS_WITHIN_S)
        answers = found.get(Amount(ANSWERS, pipeline), 0.0)
        return 1e6 * found.get(Amount(ANSWERING_S, pipeline), 0.0) / answers if answers >= FEWEST_ANSWERS else None

    def _per_run(self, pipeline: str, pipelines: Iterable[str], now_s: float) -> float | None:
        """Runs come one at a time: a pipeline's share of all processor time is its share of the time in runs."""
        found = self._within(now_s - RETRAINS_WITHIN_S)
        runs, in_runs_s = (
            found.get(Amount(RUNS, pipeline), 0.0),
            sum(found.get(Amount(RUN_S, p), 0.0) for p in pipelines),
        )
        if not runs or not in_runs_s:
            return None
        share = found.get(Amount(RUN_S, pipeline), 0.0) / in_runs_s
        return found.get(Amount(TRAINING_CPU_S, ""), 0.0) * share / runs

    def _within(self, since_s: float) -> dict[Amount, float]:
        total: dict[Amount, float] = {}
        for moment_s, grown in self._grown:
            if moment_s >= since_s:
                for amount, by in grown.items():
                    total[amount] = total.get(amount, 0.0) + by
        return total

    def _take(self, now: Snapshot) -> None:
        seen = dict(_amounts(now))
        if not self._grown or now.time_s >= self._grown[-1][0] + STEP_S:
            self._grown.append((now.time_s, {}))
        grown = self._grown[-1][1]
        for series, value in seen.items():
            before = self._before.get(series, 0.0 if self._began_at_0(series[0], now) else value)
            grown[series[1]] = grown.get(series[1], 0.0) + (value - before if value >= before else value)
        self._parts = {sample.part for sample in now.samples}
        silent = {series: value for series, value in self._before.items() if series[0] in now.silent}
        self._before = silent | seen
        while self._grown[0][0] < now.time_s - RETRAINS_WITHIN_S:
            self._grown.popleft()

    def _began_at_0(self, part: str, now: Snapshot) -> bool:
        """Whether a series of this process that was not there before has counted from 0 since then."""
        started_s = now.started_s(part)
        return part in self._parts or (started_s is not None and started_s > now.time_s - YOUNG_S)


def _amounts(now: Snapshot) -> Iterator[tuple[Series, float]]:
    names = {
        sample_name(metrics.REQUESTS): ANSWERS,
        count_name(metrics.TRAINING_SECONDS): RUNS,
        sum_name(metrics.TRAINING_SECONDS): RUN_S,
    }
    summed: dict[Series, float] = {}
    for sample in now.samples:
        amount = _cpu(sample)
        if sample.name in names:
            amount = Amount(names[sample.name], sample.labels["pipeline"])
        if amount is not None:
            series = sample.labels.get("part", sample.part), amount
            summed[series] = summed.get(series, 0.0) + sample.value
    yield from summed.items()


def _cpu(sample: Sample) -> Amount | None:
    """What a sample of processor time is spent on; None of any other sample."""
    if sample.name == f"{metrics.PROCESS_CPU_SECONDS}_total":
        pipeline = pipeline_of_scorer(sample.part)
        if pipeline is not None:
            return Amount(ANSWERING_S, pipeline)
        return Amount(TRAINING_CPU_S, "") if sample.part == "trainer" else None
    is_h2o = sample.name == sample_name(metrics.PART_CPU_SECONDS) and sample.labels["part"] == "h2o"
    return Amount(TRAINING_CPU_S, "") if is_h2o else None
