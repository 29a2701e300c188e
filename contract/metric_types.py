"""What a metric is declared with: its kind, unit, meaning and labels, and which process emits it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.samples import Sample


class MomentGauge(Gauge):
    """A moment as Unix time. It has no sample until it is set: the 0 of a fresh gauge would read as 1970."""

    def _child_samples(self) -> Iterable[Sample]:
        return [sample for sample in super()._child_samples() if sample.value != 0]


L = TypeVar("L", bound="tuple[str, ...]")


class ReplacedGauge(Gauge):
    """A gauge whose samples are replaced all at once: a scrape finds the old ones or the new ones, never none."""

    _shown: tuple[tuple[tuple[str, ...], float], ...] = ()

    def replace(self, samples: Mapping[L, float]) -> None:
        """Show these values by their labels' values, and nothing else."""
        self._shown = tuple((labels, float(value)) for labels, value in samples.items())

    def _child_samples(self) -> Iterable[Sample]:
        """Of a gauge without labels; one with labels has no children that anybody sets."""
        return self._multi_samples()

    def _multi_samples(self) -> Iterable[Sample]:
        return [
            Sample("", dict(zip(self._labelnames, labels, strict=True)), value, None, None)
            for labels, value in self._shown
        ]


Metric: TypeAlias = Counter | Gauge | Histogram


@dataclass(frozen=True)
class Declared:
    """One metric as docs/metrics.md lists it.

    `only_by_fault`: it has no sample until what it tells of happens, mostly a fault: an ordinary run does not show it.
    """

    metric: Metric | None
    """None for what the Prometheus library itself exports."""
    name: str
    kind: str
    unit: str
    meaning: str
    labels: tuple[str, ...]
    emitter: str
    only_by_fault: bool


DECLARED: Final[list[Declared]] = []
"""Every metric, in the order of its declaration; `contract.metrics` fills it."""


@dataclass(frozen=True)
class Emitter:
    """A kind of process; declares the metrics that it emits, each with its name, unit, meaning and labels.

    Names follow Prometheus: `hotpath_<stage>_<what>_<unit>`; a counter's samples end in `_total`.
    """

    name: str

    def counter(self, name: str, unit: str, meaning: str, *labels: str, only_by_fault: bool = False) -> Counter:
        metric = Counter(name, meaning, labels)
        self._declare(metric, name, "counter", unit, meaning, labels, only_by_fault)
        return metric

    def gauge(self, name: str, unit: str, meaning: str, *labels: str, only_by_fault: bool = False) -> Gauge:
        metric = Gauge(name, meaning, labels)
        self._declare(metric, name, "gauge", unit, meaning, labels, only_by_fault)
        return metric

    def moment(self, name: str, meaning: str, *labels: str, only_by_fault: bool = False) -> MomentGauge:
        """A gauge of Unix time; it has no sample until it is set."""
        metric = MomentGauge(name, meaning, labels)
        self._declare(metric, name, "gauge", "s since 1970", meaning, labels, only_by_fault)
        return metric

    def replaced(self, name: str, unit: str, meaning: str, *labels: str, only_by_fault: bool = False) -> ReplacedGauge:
        """A gauge whose samples are replaced all at once."""
        metric = ReplacedGauge(name, meaning, labels)
        self._declare(metric, name, "gauge", unit, meaning, labels, only_by_fault)
        return metric

    def seconds(
        self, name: str, meaning: str, *labels: str, buckets: Sequence[float] = Histogram.DEFAULT_BUCKETS
    ) -> Histogram:
        """A histogram of durations."""
        metric = Histogram(name, meaning, labels, buckets=buckets)
        self._declare(metric, name, "histogram", "s", meaning, labels, False)
        return metric

    def from_library(self, name: str, kind: str, unit: str, meaning: str) -> str:
        """A metric that the Prometheus library exports by itself; the name of its family."""
        self._declare(None, name, kind, unit, meaning, (), False)
        return name

    def _declare(
        self, metric: Metric | None, name: str, kind: str, unit: str, meaning: str, labels: tuple[str, ...], fault: bool
    ) -> None:
        DECLARED.append(Declared(metric, name, kind, unit, meaning, labels, self.name, fault))


def sample_name(metric: Counter | Gauge) -> str:
    """The name under which the metric's values are scraped."""
    return f"{_family(metric)}_total" if isinstance(metric, Counter) else _family(metric)


def sum_name(metric: Histogram) -> str:
    """The name of the sum of what a histogram observed."""
    return f"{_family(metric)}_sum"


def count_name(metric: Histogram) -> str:
    """The name of the number of a histogram's observations."""
    return f"{_family(metric)}_count"


def bucket_name(metric: Histogram) -> str:
    """The name of the number of a histogram's observations up to a bound."""
    return f"{_family(metric)}_bucket"


def _family(metric: Metric) -> str:
    (family,) = metric.describe()
    return str(family.name)


__all__ = [
    "DECLARED",
    "Counter",
    "Declared",
    "Emitter",
    "Gauge",
    "Histogram",
    "Metric",
    "MomentGauge",
    "ReplacedGauge",
    "bucket_name",
    "count_name",
    "sample_name",
    "sum_name",
]
