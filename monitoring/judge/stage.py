"""A stage of the flow as the page shows it, and what it is judged by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract.metric_types import Counter, Gauge
from contract.metrics import IMPORT_OPEN
from contract.pipeline import Pipeline
from contract.restarts import Restart
from monitoring.collect.counter_windows import CounterWindows
from monitoring.collect.rates import rate
from monitoring.collect.scrape import Snapshot
from monitoring.collect.stillness import Stillness
from monitoring.judge.outcome_follower import Found
from monitoring.judge.trust_inputs import NOTHING_SEEN, TrustInputs


@dataclass(frozen=True)
class Problem:
    """One thing that is not well, in one sentence. Alerts are told apart by `code`; `command` looks closer."""

    code: str
    text: str
    command: str


@dataclass(frozen=True)
class Stage:
    """One box of the picture: its figures, and what is not well, the most important first."""

    name: str
    figures: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def problem(self) -> str | None:
        return self.problems[0].text if self.problems else None

    @property
    def command(self) -> str | None:
        return self.problems[0].command if self.problems else None


@dataclass(frozen=True)
class StackInputs:
    """What the whole stack is judged by: one look, and what the monitor knows besides."""

    now: Snapshot
    restarts: Sequence[Restart] = ()
    """Of this host's parts, as the supervisor noted them."""
    unwritten: Mapping[str, str | None] = field(default_factory=dict)
    """Of `influxdb` and `graphite`, as far as they are named: why it has no new points; None: it has them."""
    unreadable: Mapping[Path, str] = field(default_factory=dict)
    """Deployed files that do not load, each with the reason."""
    windows: CounterWindows = field(default_factory=lambda: CounterWindows(()))
    may_be_starting: Collection[str] = ()
    """Engines that have not answered yet and may still be starting."""

    def since(self, moment_s: float | None) -> float | None:
        """Seconds from a moment to this look, as `StageInputs.since`."""
        return _since(self.now, moment_s)


@dataclass(frozen=True)
class StageInputs:
    """One look and the one before it, and the pipeline that they are looked at for."""

    pipeline: Pipeline
    before: Snapshot | None
    now: Snapshot
    lake_read_s: float | None = None
    """When the outcomes were last read; None: not yet."""
    windows: CounterWindows = field(default_factory=lambda: CounterWindows(()))
    stillness: Stillness = field(default_factory=Stillness)
    restarts: Sequence[Restart] = ()
    """Of this host's parts, as the supervisor noted them."""
    seen: TrustInputs = NOTHING_SEEN
    found: Found = field(default_factory=Found)
    has_vanished: bool = False
    """The deployed file is gone, although nobody removed the pipeline."""

    def rate(self, metric: Counter, **labels: str) -> float | None:
        return rate(self.before, self.now, metric, **labels)

    def value(self, metric: Counter | Gauge, **labels: str) -> float | None:
        return self.now.largest(metric, pipeline=self.pipeline.name, **labels)

    def since(self, moment_s: float | None) -> float | None:
        """Seconds from a moment to this look; a clock that is behind makes them no less than 0.

        A moment of 0 is unknown: a process of an earlier version shows it for what it has never measured.
        """
        return _since(self.now, moment_s)

    def runs_s(self, part: str) -> float | None:
        """For how long the part's process has run."""
        return self.since(self.now.started_s(part))

    def unchanged_s(self, name: str, value: float | None) -> float:
        """For how long a figure of this pipeline has been seen to stand still."""
        return self.stillness.unchanged_s(f"{self.pipeline.name}.{name}", value, self.now.time_s)

    @property
    def is_importing(self) -> bool:
        """Whether history is being imported: then the mirror is behind, and no bucket closes, by intent."""
        return any(self.now.largest(IMPORT_OPEN, topic=topic) for topic in self.pipeline.mirrored_topics)

    def waits_for_import(self, limit_s: float) -> bool:
        """Whether history is being imported, or was until so short a time ago that the flow may still be behind."""
        ended_s = self.stillness.since_last_s(f"{self.pipeline.name}.import", self.is_importing, self.now.time_s)
        return ended_s is not None and ended_s <= limit_s


def _since(now: Snapshot, moment_s: float | None) -> float | None:
    return max(0.0, now.time_s - moment_s) if moment_s else None
