"""Looks of the monitor, one after the other, at a stack that a test makes up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from contract.metric_types import Counter, Gauge, Histogram, count_name, sample_name
from contract.metrics import PROCESS_STARTED_SECONDS
from contract.restarts import Restart
from monitoring.collect.counter_windows import CounterWindows
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.collect.stillness import Stillness
from monitoring.judge.memory import WINDOWED
from monitoring.judge.stage import Problem, StageInputs
from monitoring.judge.stages import stages
from streaming.pipeline_file.load import load

PIPELINE = load(Path(__file__).parents[3] / "examples/flights/pipeline.toml")
START_S = 1_795_252_000.0
OWN = {"pipeline": "flights"}


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
        found = next(each for each in stages(look) if each.name == stage)
        self.stillness.end_look()
        return list(found.problems)

    def texts(self, stage: str, pass_s: float = 3.0) -> list[str]:
        return [problem.text for problem in self.problems(stage, pass_s)]
