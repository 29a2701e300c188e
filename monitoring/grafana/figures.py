"""Figures in InfluxDB that a dashboard shows: fields of measurements, with the units that their declarations give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import contract.metrics  # noqa: F401  declares every metric
from contract.measurements import Measurement
from contract.metric_types import DECLARED, Counter, Declared, Gauge, Histogram, Metric
from contract.metrics import EVERY_PROCESS
from monitoring.influx.influx_points import FLUX_COLUMNS

_BY_NAME: Final[Mapping[str, Declared]] = {each.name: each for each in DECLARED}
_BY_METRIC: Final[Mapping[int, Declared]] = {id(each.metric): each for each in DECLARED if each.metric is not None}


@dataclass(frozen=True)
class Figure:
    """One field. `tags` are those of its points; `only_by_fault` as in its declaration."""

    measurement: str
    field: str
    unit: str
    tags: tuple[str, ...]
    only_by_fault: bool = False


def gauge(metric: Gauge | str) -> Figure:
    """What a gauge shows; one of the client library's own is named by its text."""
    return _figure(metric, "value", "")


def per_second(metric: Counter | str) -> Figure:
    """How fast a counter counts."""
    return _figure(metric, "per_second", "/s")


def increase(metric: Counter | str) -> Figure:
    """By how much a counter has grown since the point before."""
    return _figure(metric, "increase", "")


def quantile(metric: Histogram, name: str) -> Figure:
    """`name` is p50, p90 or p99."""
    return _figure(metric, name, "")


def field_of(measurement: Measurement, field: str) -> Figure:
    return Figure(
        measurement.name, field, measurement.fields[field], measurement.tags, only_by_fault=measurement.only_by_fault
    )


def _figure(metric: Metric | str, field: str, unit_ending: str) -> Figure:
    declared = _BY_NAME[metric] if isinstance(metric, str) else _BY_METRIC[id(metric)]
    labels = tuple(f"{label}_name" if label in FLUX_COLUMNS else label for label in declared.labels)
    tags = (*labels, "part") if declared.emitter == EVERY_PROCESS.name and "part" not in labels else labels
    return Figure(declared.name, field, declared.unit + unit_ending, tags, declared.only_by_fault)
