"""By how much counters increased within the last ten minutes, across restarts of the processes that count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median

import msgspec

from contract.metric_types import Counter, Histogram, bucket_name, sample_name
from monitoring.collect.scrape import Sample, Snapshot

WINDOW_S = 600
STEP_S = 15
"""Increases are summed up by so many seconds: a window has at most 41 sums of each series."""
MOST_SERIES = 5000


class Series(msgspec.Struct):
    """One counter of one process. `increases` are [moment, increase], the oldest first."""

    part: str
    name: str
    labels: dict[str, str]
    value: float
    seen_s: float
    increases: list[tuple[float, float]]

    def add(self, time_s: float, increase: float) -> None:
        step_s = time_s // STEP_S * STEP_S
        if self.increases and self.increases[-1][0] == step_s:
            increase += self.increases.pop()[1]
        self.increases.append((step_s, increase))

    def is_over(self, now_s: float) -> bool:
        return not self.increases and self.seen_s < now_s - WINDOW_S

    def forget(self, before_s: float) -> None:
        self.increases = [(moment, increase) for moment, increase in self.increases if moment >= before_s]


class CounterWindows:
    """Of the counters that are named to it, and of the buckets of histograms.

    A counter that appears in a process which was seen before began at 0.
    """

    def __init__(self, counters: Iterable[Counter | Histogram], kept: Iterable[Series] = ()) -> None:
        self._names = frozenset(
            bucket_name(each) if isinstance(each, Histogram) else sample_name(each) for each in counters
        )
        self._series = {_key(each.part, each.name, each.labels): each for each in kept}
        self._seen_parts = {each.part for each in self._series.values()}
        self._now_s = 0.0

    def update(self, now: Snapshot) -> None:
        """Take the counters of a look."""
        self._now_s = now.time_s
        for sample in now.samples:
            if sample.name in self._names:
                self._take(sample, now)
        self._seen_parts |= {sample.part for sample in now.samples}
        for series in self._series.values():
            series.forget(now.time_s - WINDOW_S)
        self._series = {key: each for key, each in self._series.items() if not each.is_over(now.time_s)}

    def increase(self, counter: Counter, within_s: float = WINDOW_S, **labels: str) -> float:
        """The sum over all processes, and over the labels that are not given."""
        found = self._find(sample_name(counter), labels)
        return sum(by for each in found for moment_s, by in each.increases if moment_s > self._now_s - within_s)

    def by_label(self, counter: Counter, label: str, **labels: str) -> dict[str, float]:
        """The increases in the whole window by the values of a label; those that did not increase are left out."""
        found: dict[str, float] = {}
        for series in self._find(sample_name(counter), labels):
            for _, increase in series.increases:
                found[series.labels[label]] = found.get(series.labels[label], 0.0) + increase
        return found

    def last_s(self, counter: Counter, **labels: str) -> float | None:
        """The end of the step in which it last increased, at most now; None: not in the window."""
        moments = [each.increases[-1][0] for each in self._find(sample_name(counter), labels) if each.increases]
        return min(max(moments) + STEP_S, self._now_s) if moments else None

    def usual_per_s(self, counter: Counter, **labels: str) -> float:
        """The median over the whole minutes of the window: what bursts and pauses do not move."""
        minutes = WINDOW_S // 60
        sums = [0.0] * minutes
        for each in self._find(sample_name(counter), labels):
            for moment_s, increase in each.increases:
                ago = int((self._now_s - moment_s) // 60)
                if 0 <= ago < minutes:
                    sums[ago] += increase
        return median(sums) / 60

    def by_bound(self, histogram: Histogram, within_s: float, **labels: str) -> list[tuple[float, float]]:
        """(upper bound, observations at or below it), ascending, as `quantile` takes them."""
        sums: dict[float, float] = {}
        for each in self._find(bucket_name(histogram), labels):
            bound = float(each.labels["le"])
            lately = (by for moment_s, by in each.increases if moment_s > self._now_s - within_s)
            sums[bound] = sums.get(bound, 0.0) + sum(lately)
        return sorted(sums.items())

    def increases_of(self, name: str, labels: Mapping[str, str]) -> list[tuple[Mapping[str, str], float]]:
        """Each set of labels under the name of a sample, with the increase in the whole window over all processes."""
        found: dict[tuple[tuple[str, str], ...], float] = {}
        for each in self._find(name, labels):
            key = tuple(sorted(each.labels.items()))
            found[key] = found.get(key, 0.0) + sum(by for _, by in each.increases)
        return [(dict(key), value) for key, value in found.items()]

    def watch(self, names: Iterable[str]) -> None:
        """From now on also counters whose samples have these names."""
        self._names |= frozenset(names)

    def kept(self) -> list[Series]:
        """What the next process of the monitor needs to go on."""
        return list(self._series.values())

    def _take(self, sample: Sample, now: Snapshot) -> None:
        key = _key(sample.part, sample.name, sample.labels)
        if key not in self._series and len(self._series) >= MOST_SERIES:
            return
        series = self._series.setdefault(key, self._begin(sample, now))
        increase = sample.value - series.value if sample.value >= series.value else sample.value
        series.value, series.seen_s = sample.value, now.time_s
        if increase > 0:
            series.add(now.time_s, increase)

    def _begin(self, sample: Sample, now: Snapshot) -> Series:
        started_s = now.started_s(sample.part)
        is_young = started_s is not None and started_s > now.time_s - WINDOW_S
        began_at_0 = is_young or sample.part in self._seen_parts
        value = 0.0 if began_at_0 else sample.value
        return Series(sample.part, sample.name, dict(sample.labels), value, now.time_s, [])

    def _find(self, name: str, labels: Mapping[str, str]) -> list[Series]:
        wanted = labels.items()
        return [each for each in self._series.values() if each.name == name and wanted <= each.labels.items()]


def _key(part: str, name: str, labels: Mapping[str, str]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return part, name, tuple(sorted(labels.items()))
