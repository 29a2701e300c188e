"""By how much counters increased within a window, across restarts of the processes that count.

What a series adds is told in one place, and by one rule:

- it shows more than before: the difference;
- it shows less: its process began anew, and all that it shows was added since;
- it was not there before: all that it shows, if its process was seen within the window before (then the series is new)
  or began within it (then all was counted in it); else nothing, as nobody knows what was counted when.

A process that does not answer for shorter than the window loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median

import msgspec

from contract.metric_types import Counter, Histogram, bucket_name, sample_name
from monitoring.collect.scrape import Sample, Snapshot

WINDOW_S = 600.0
STEP_S = 15
"""Increases are summed up by so many seconds: ten minutes have at most 41 sums of each series."""
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

    def is_over(self, before_s: float) -> bool:
        return not self.increases and self.seen_s < before_s

    def forget(self, before_s: float) -> None:
        self.increases = [(moment, increase) for moment, increase in self.increases if moment >= before_s]


class CounterWindows:
    """Of the counters that are named to it, and of the buckets of histograms; a window is `window_s` seconds long."""

    def __init__(
        self,
        counters: Iterable[Counter | Histogram] = (),
        kept: Iterable[Series] = (),
        window_s: float = WINDOW_S,
        most_series: int | None = None,
    ) -> None:
        self._names = frozenset(
            bucket_name(each) if isinstance(each, Histogram) else sample_name(each) for each in counters
        )
        self._series = {_key(each.part, each.name, each.labels): each for each in kept}
        self._seen_s: dict[str, float] = {}
        """Part -> when it was last seen."""
        for each in self._series.values():
            self._seen_s[each.part] = max(each.seen_s, self._seen_s.get(each.part, each.seen_s))
        self._window_s, self._now_s = window_s, 0.0
        self._most_series = MOST_SERIES if most_series is None else most_series

    def update(self, now: Snapshot) -> list[tuple[Sample, float]]:
        """Take the counters of a look; each of its samples that is a counter, with what it adds."""
        self._now_s, begin_s = now.time_s, now.time_s - self._window_s
        self._seen_s = {part: seen_s for part, seen_s in self._seen_s.items() if seen_s >= begin_s}
        added = [(sample, self._take(sample, now)) for sample in now.samples if sample.name in self._names]
        self._seen_s |= dict.fromkeys((sample.part for sample in now.samples), now.time_s)
        for series in self._series.values():
            series.forget(begin_s)
        self._series = {key: each for key, each in self._series.items() if not each.is_over(begin_s)}
        return added

    def increase(self, counter: Counter, within_s: float | None = None, **labels: str) -> float:
        """The sum over all processes, and over the labels that are not given; of the whole window by default."""
        return self.increase_of(sample_name(counter), within_s, **labels)

    def increase_of(self, name: str, within_s: float | None = None, **labels: str) -> float:
        """The same by the name of the samples."""
        since_s = self._now_s - (self._window_s if within_s is None else within_s)
        return sum(by for each in self._find(name, labels) for moment_s, by in each.increases if moment_s > since_s)

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
        minutes = int(self._window_s // 60)
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

    def _take(self, sample: Sample, now: Snapshot) -> float:
        key = _key(sample.part, sample.name, sample.labels)
        if key not in self._series and len(self._series) >= self._most_series:
            return 0.0
        series = self._series.setdefault(key, self._begin(sample, now))
        increase = sample.value - series.value if sample.value >= series.value else sample.value
        series.value, series.seen_s = sample.value, now.time_s
        if increase > 0:
            series.add(now.time_s, increase)
        return increase

    def _begin(self, sample: Sample, now: Snapshot) -> Series:
        value = 0.0 if sample.part in self._seen_s or self._is_young(sample.part, now) else sample.value
        return Series(sample.part, sample.name, dict(sample.labels), value, now.time_s, [])

    def _is_young(self, part: str, now: Snapshot) -> bool:
        started_s = now.started_s(part)
        return started_s is not None and started_s > now.time_s - self._window_s

    def _find(self, name: str, labels: Mapping[str, str]) -> list[Series]:
        wanted = labels.items()
        return [each for each in self._series.values() if each.name == name and wanted <= each.labels.items()]


def _key(part: str, name: str, labels: Mapping[str, str]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return part, name, tuple(sorted(labels.items()))
