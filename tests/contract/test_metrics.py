"""Metrics: samples are found by the metric's object, and a moment that was never set is not exported as 1970."""

from __future__ import annotations

import socket

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from contract import metrics
from contract.metric_types import (
    Counter,
    Gauge,
    Histogram,
    MomentGauge,
    ReplacedGauge,
    count_name,
    sample_name,
    sum_name,
)


@pytest.mark.parametrize("kind", [Counter, Gauge, MomentGauge])
def test_the_name_of_a_metrics_samples_is_the_one_that_is_scraped(kind: type[Counter | Gauge]) -> None:
    registry = CollectorRegistry()
    metric = kind("hotpath_test_things", "Things.", ["topic"], registry=registry)
    metric.labels(topic="t").inc()
    assert registry.get_sample_value(sample_name(metric), {"topic": "t"}) == 1


def test_a_histogram_is_scraped_by_its_sum_and_its_count() -> None:
    registry = CollectorRegistry()
    metric = Histogram("hotpath_test_seconds", "Seconds.", registry=registry)
    metric.observe(3)
    assert registry.get_sample_value(sum_name(metric)) == 3
    assert registry.get_sample_value(count_name(metric)) == 1


def test_a_moment_has_no_sample_until_it_is_set() -> None:
    registry = CollectorRegistry()
    alone = MomentGauge("hotpath_test_alone_seconds", "When, Unix time.", registry=registry)
    labelled = MomentGauge("hotpath_test_labelled_seconds", "When, Unix time.", ["topic"], registry=registry)
    labelled.labels(topic="t")
    assert registry.get_sample_value(sample_name(alone)) is None
    assert registry.get_sample_value(sample_name(labelled), {"topic": "t"}) is None
    alone.set(5)
    labelled.labels(topic="t").set(6)
    assert registry.get_sample_value(sample_name(alone)) == 5
    assert registry.get_sample_value(sample_name(labelled), {"topic": "t"}) == 6


def test_samples_that_are_replaced_together_are_never_both_there_nor_both_absent() -> None:
    gauge = ReplacedGauge("test_replaced", "For this test.", ["pipeline", "model"], registry=None)
    assert samples(gauge) == []
    gauge.replace({("p", "v1"): 1.0})
    gauge.replace({("p", "v2"): 1.0})
    assert [sample.labels for sample in samples(gauge)] == [{"pipeline": "p", "model": "v2"}]
    gauge.replace({})
    assert samples(gauge) == []


def test_a_replaced_gauge_without_labels_has_one_sample_or_none() -> None:
    registry = CollectorRegistry()
    gauge = ReplacedGauge("test_replaced_alone", "For this test.", registry=registry)
    assert samples(gauge) == []
    gauge.replace({(): 7.0})
    assert registry.get_sample_value("test_replaced_alone") == 7
    gauge.replace({})
    assert samples(gauge) == []


def samples(gauge: ReplacedGauge) -> list[Sample]:
    return [sample for family in gauge.collect() for sample in family.samples]


def test_a_port_that_is_taken_ends_the_process_with_address_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("HOTPATH_METRICS_PORT", str(port))
        with pytest.raises(SystemExit, match=f"watcher: /metrics .* at 127.0.0.1:{port} .*HOTPATH_PORT_BASE"):
            metrics.serve("watcher")
