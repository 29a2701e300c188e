"""A scrape as points: one measurement a metric, its labels as tags.

gauge      field `value`
counter    fields `increase` since the point before, and `per_second`
histogram  fields `count` and `sum` (increases), and `p50`, `p90`, `p99` of what was observed since the point before

Processes come and go: what several emit under the same labels (two scorers of a pipeline) is one point. Counters and
amounts are summed up, of other gauges the largest counts. Only what tells of a process itself has the tag `part`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from contract.metric_types import DECLARED, Declared
from contract.metrics import EVERY_PROCESS
from monitoring.collect.counter_windows import CounterWindows
from monitoring.collect.scrape import Sample, Snapshot, pipeline_of_scorer

WINDOW_S: Final = 60.0
"""A process that does not answer for so long loses nothing; one that is first seen and not older has counted since."""
MOST_SERIES: Final = 50_000
SUMMED_UNITS: Final = ("records", "bytes", "scorers", "predictions", "connections", "files")
FLUX_COLUMNS: Final = ("table", "result")
QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99}

Tags = tuple[tuple[str, str], ...]


class PointMaker:
    """Makes the points of each scrape; remembers the counters of those before."""

    def __init__(self) -> None:
        self._declared = _by_sample_name(DECLARED)
        self._windows = CounterWindows(window_s=WINDOW_S, most_series=MOST_SERIES)
        self._windows.watch(name for name, each in self._declared.items() if each.kind != "gauge")
        self._before_s: float | None = None

    def points(self, now: Snapshot) -> list[Point]:
        """The points of a scrape: of counters and histograms from the second scrape on."""
        made = [*self._gauges(now), *self._counted(now)]
        self._before_s = now.time_s
        return [point.time(round(now.time_s * 1000), WritePrecision.MS) for point in made]

    def _gauges(self, now: Snapshot) -> Iterator[Point]:
        gauges = _Gauges()
        for sample in now.samples:
            declared = self._declared.get(sample.name)
            if declared is not None and declared.kind == "gauge":
                # InfluxDB refuses whole numbers beside others
                gauges.add(declared, _tags(sample, declared), float(sample.value))
        return gauges.points()

    def _counted(self, now: Snapshot) -> Iterator[Point]:
        counters, histograms = _Counters(), _Histograms()
        for sample, increase in self._windows.update(now):
            declared = self._declared[sample.name]
            (counters if declared.kind == "counter" else histograms).add(
                declared, _tags(sample, declared), sample, float(increase)
            )
        if self._before_s is not None and now.time_s > self._before_s:
            yield from counters.points(now.time_s - self._before_s)
            yield from histograms.points()


@dataclass
class _Gauges:
    _values: dict[tuple[str, Tags], tuple[Declared, float]] = field(default_factory=dict)

    def add(self, declared: Declared, tags: Tags, value: float) -> None:
        known = self._values.get((declared.name, tags))
        if known is not None:
            value = known[1] + value if declared.unit in SUMMED_UNITS else max(known[1], value)
        self._values[declared.name, tags] = declared, value

    def points(self) -> Iterator[Point]:
        for (name, tags), (_, value) in self._values.items():
            if math.isfinite(value):
                yield _point(name, tags).field("value", value)


@dataclass
class _Counters:
    _increases: dict[tuple[str, Tags], float] = field(default_factory=dict)

    def add(self, declared: Declared, tags: Tags, _: Sample, increase: float) -> None:
        self._increases[declared.name, tags] = self._increases.get((declared.name, tags), 0.0) + increase

    def points(self, seconds: float) -> Iterator[Point]:
        for (name, tags), increase in self._increases.items():
            yield _point(name, tags).field("increase", increase).field("per_second", increase / seconds)


@dataclass
class _Histograms:
    _sums: dict[tuple[str, Tags], float] = field(default_factory=dict)
    _counts: dict[tuple[str, Tags], float] = field(default_factory=dict)
    _buckets: dict[tuple[str, Tags], dict[float, float]] = field(default_factory=dict)

    def add(self, declared: Declared, tags: Tags, sample: Sample, increase: float) -> None:
        key = declared.name, tags
        if sample.name.endswith("_sum"):
            self._sums[key] = self._sums.get(key, 0.0) + increase
        elif sample.name.endswith("_count"):
            self._counts[key] = self._counts.get(key, 0.0) + increase
        else:
            buckets, bound = self._buckets.setdefault(key, {}), float(sample.labels["le"])
            buckets[bound] = buckets.get(bound, 0.0) + increase

    def points(self) -> Iterator[Point]:
        for (name, tags), count in self._counts.items():
            point = _point(name, tags).field("count", count).field("sum", self._sums.get((name, tags), 0.0))
            if count:
                counts = sorted(self._buckets.get((name, tags), {}).items())
                for label, share in QUANTILES.items():
                    point.field(label, quantile(share, counts))
            yield point


def quantile(share: float, buckets: Sequence[tuple[float, float]]) -> float:
    """An estimate from (upper bound, observations at or below it), ascending, the last bound infinite.

    Within its bucket it is interpolated as if the observations lay evenly; beyond the last finite bound it is that
    bound. Source: the function histogram_quantile of Prometheus.
    """
    rank = share * buckets[-1][1]
    for (low, below), (high, upto) in pairwise([(0.0, 0.0), *buckets]):
        if upto >= rank and upto > below:
            return low if math.isinf(high) else low + (high - low) * (rank - below) / (upto - below)
    return buckets[-1][0]


def _by_sample_name(declared: Iterable[Declared]) -> dict[str, Declared]:
    endings = {"gauge": ("",), "counter": ("_total",), "histogram": ("_sum", "_count", "_bucket")}
    return {each.name + ending: each for each in declared for ending in endings[each.kind]}


def _tags(sample: Sample, declared: Declared) -> Tags:
    """The labels, without the bound of a histogram's bucket; columns of Flux's own answers get another name."""
    labels = {
        f"{name}_name" if name in FLUX_COLUMNS else name: value
        for name, value in sample.labels.items()
        if name != "le" and value
    }
    if declared.emitter == EVERY_PROCESS.name:
        labels["part"] = _stable_name(sample)
    return tuple(sorted(labels.items()))


def _stable_name(sample: Sample) -> str:
    """The part's name; all scorers of a pipeline have one, or each switch would bring new series for ever."""
    pipeline = pipeline_of_scorer(sample.part)
    return f"scorers-{pipeline}" if pipeline else sample.part


def _point(name: str, tags: Tags) -> Point:
    point = Point(name)
    for tag, value in tags:
        point.tag(tag, value)
    return point
