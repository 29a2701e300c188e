"""What the running stack measures: exactly what is declared, and figures of every engine that can be true."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from functools import partial

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from contract import metrics
from contract.layout import Influx
from contract.metric_types import DECLARED, sample_name
from monitoring.influx.influx_client import InfluxClient
from tests.integration.conftest import RunningStack
from tests.waiting import until

pytestmark = pytest.mark.engines


def addresses(stack: RunningStack) -> Iterator[str]:
    """Of every part's `/metrics`, and of every scorer's."""
    for group in json.loads(stack.settings.folder.targets.read_text()):
        yield f"http://{group['targets'][0]}/metrics"
    admin = stack.env["HOTPATH_ADMIN"]
    with urllib.request.urlopen(f"http://{admin}/scorers", timeout=20) as answer:
        for scorer in json.load(answer):
            yield f"http://{admin}/scorers/{scorer['name']}/metrics"


def samples(address: str) -> list[Sample]:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            text = answer.read().decode()
    except OSError:
        return []  # a scorer that has ended since it was listed
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def families(stack: RunningStack) -> set[str]:
    """The families of which a sample is shown; those of the client library's own are left out."""
    endings = ("_total", "_created", "_bucket", "_sum", "_count", "")
    known = {each.name for each in DECLARED}
    found = set()
    for sample in (sample for address in addresses(stack) for sample in samples(address)):
        names = [sample.name.removesuffix(ending) for ending in endings if sample.name.endswith(ending)]
        found.add(next((name for name in names if name in known), sample.name))
    return {name for name in found if name.startswith("hotpath_") or name in known}


def test_every_metric_that_is_shown_is_declared_and_every_one_declared_is_shown(stack: RunningStack) -> None:
    expected = {each.name for each in DECLARED if not each.only_by_fault}
    lacking: set[str] = set()

    def all_shown() -> bool:
        nonlocal lacking
        shown = families(stack)
        assert shown <= {each.name for each in DECLARED}, "shown and not declared"
        lacking = expected - shown
        return not lacking

    try:
        until(all_shown, 120, "every declared metric", every_s=3)
    except TimeoutError as error:
        raise AssertionError(f"declared and never shown: {sorted(lacking)}") from error


def shown_by_the_monitor(stack: RunningStack) -> dict[tuple[str, ...], float]:
    """(name, values of the labels) -> value."""
    groups = json.loads(stack.settings.folder.targets.read_text())
    (address,) = (group["targets"][0] for group in groups if group["labels"]["part"] == "monitor")
    return {(s.name, *s.labels.values()): s.value for s in samples(f"http://{address}/metrics")}


def test_the_monitor_measures_every_engine_and_the_host(stack: RunningStack) -> None:
    engines = {
        (sample_name(metrics.ENGINE_ANSWERS), name) for name in ("kafka-onprem", "kafka-cloud", "hdfs", "h2o", "host")
    }
    shown = partial(shown_by_the_monitor, stack)
    until(lambda: all(shown().get(each) == 1 for each in engines), 60, "an answer of every engine", every_s=2)
    found = shown()
    assert found[sample_name(metrics.KAFKA_UNDER_REPLICATED), "onprem"] == 0
    asked = sample_name(metrics.KAFKA_APPENDED_RECORDS), "onprem", "flights.asked"
    assert found[asked] > 100
    assert found[sample_name(metrics.KAFKA_LOG_BYTES), "cloud"] > 10_000
    capacity, free = (
        found[(sample_name(metrics.HDFS_CAPACITY_BYTES),)],
        found[(sample_name(metrics.HDFS_REMAINING_BYTES),)],
    )
    assert capacity >= free > 10**6
    assert (found[(sample_name(metrics.HDFS_MISSING_BLOCKS),)], found[(sample_name(metrics.HDFS_LIVE_NODES),)]) == (
        0,
        1,
    )
    assert found[(sample_name(metrics.H2O_NODES),)] == 1
    assert found[(sample_name(metrics.H2O_FREE_MEMORY_BYTES),)] > 10**7
    assert 0 <= found[(sample_name(metrics.HOST_CPU_RATIO),)] <= 1
    assert found[(sample_name(metrics.HOST_FREE_DISK_BYTES),)] > 10**6


def measurements(influx: Influx) -> set[str]:
    flux = f'import "influxdata/influxdb/schema" schema.measurements(bucket: "{influx.bucket}")'
    with InfluxClient(influx) as client:
        return {str(row["_value"]) for row in client.query(flux)}


def test_every_metric_reaches_influxdb(stack: RunningStack) -> None:
    influx = stack.places.influx
    if influx is None:
        pytest.skip("there is no influxd")
    expected = {each.name for each in DECLARED if not each.only_by_fault}
    until(lambda: expected <= measurements(influx), 60, "every declared metric in InfluxDB", every_s=3)
    with InfluxClient(influx) as client:
        rows = client.query(
            f'from(bucket: "{influx.bucket}") |> range(start: -30m) '
            '|> filter(fn: (r) => r._measurement == "hotpath_streaming_records" and r._field == "increase") '
            '|> filter(fn: (r) => r.table_name == "events") |> sum()'
        )
    assert sum(row["_value"] for row in rows) > 100
