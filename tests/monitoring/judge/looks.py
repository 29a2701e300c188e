"""Looks of the monitor, one after the other, at a stack that a test makes up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from contract.metric_types import Counter, Gauge, Histogram, count_name, sample_name
from contract.metrics import PROCESS_STARTED_SECONDS
from contract.restarts import Restart
from monitoring.alerts.alert_entry import Entry, begun, problems_of
from monitoring.collect.counter_windows import CounterWindows
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.collect.stillness import Stillness
from monitoring.judge.alert_rules import rules_of, stack_rules
from monitoring.judge.measures import judge_pipeline, judge_stack
from monitoring.judge.memory import WINDOWED
from monitoring.judge.stage import Problem, StackInputs, StageInputs
from streaming.pipeline_file.load import load

PIPELINE = load(Path(__file__).parents[3] / "examples/flights/pipeline.toml")
START_S = 1_795_252_000.0
OWN = {"pipeline": "flights"}


def bad(look: StageInputs) -> list[Entry]:
    """Everything that is not well in a look, the stack's own too, whether it has been so for long enough or not."""
    name, whole = look.pipeline.name, StackInputs(look.now, look.restarts, windows=look.windows)
    of_stack = judge_stack(stack_rules([look.pipeline]), whole)
    judged = judge_pipeline(rules_of(look.pipeline), look)
    return [
        begun(pipeline, each, "firing", look.now.time_s)
        for pipeline, found in (("", of_stack), (name, judged))
        for each in found
        if each.finding == "bad"
    ]


def problems_at(look: StageInputs, stage: str) -> list[Problem]:
    """Of these, what a stage shows."""
    return [problem for name, problem in problems_of(bad(look)) if name == stage]


@dataclass
class Looks:
    """The stack's figures, which a test sets; `problems` looks at them, `pass_s` seconds after the last look."""

    now_s: float = START_S
    figures: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)
    restarts: list[Restart] = field(default_factory=list)
    windows: CounterWindows = field(default_factory=lambda: CounterWindows(WINDOWED))
    stillness: Stillness = field(default_factory=Stillness)

    def set(self, metric: Counter | Gauge | Histogram, value: float, part: str = "streaming", **labels: str) -> None:
        """A histogram's value is the number of its observations."""
        name = count_name(metric) if isinstance(metric, Histogram) else sample_name(metric)
        self.figures[part, name, tuple(sorted(labels.items()))] = value

    def start(self, part: str) -> None:
        """The part's process starts now."""
        self.figures[part, PROCESS_STARTED_SECONDS, ()] = self.now_s

    def snapshot(self) -> Snapshot:
        samples = (Sample(part, name, dict(labels), value) for (part, name, labels), value in self.figures.items())
        return Snapshot(self.now_s, tuple(samples))

    def problems(self, stage: str, pass_s: float = 3.0) -> list[Problem]:
        self.now_s += pass_s
        now = self.snapshot()
        self.windows.update(now)
        look = StageInputs(PIPELINE, None, now, None, self.windows, self.stillness, self.restarts)
        found = problems_at(look, stage)
        self.stillness.end_look()
        return found

    def texts(self, stage: str, pass_s: float = 3.0) -> list[str]:
        return [problem.text for problem in self.problems(stage, pass_s)]
