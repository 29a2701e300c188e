"""Scrapes as points: what counts is summed over processes that come and go, and begins at their beginning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import metrics
from contract.metric_types import count_name, sample_name, sum_name
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.influx.influx_points import PointMaker, quantile
from monitoring.influx.point_feed import own_samples

NOW_S = 1_800_000_000.0
REQUESTS = sample_name(metrics.REQUESTS)
SECONDS = sum_name(metrics.REQUEST_SECONDS)
LABELS = {"pipeline": "p", "status": "200"}
BLUE, GREEN = "p-20261128T000000Z-aaaa", "p-20261128T000100Z-bbbb"


def scrape(at_s: float, *samples: Sample, started_s: float = 0.0) -> Snapshot:
    """A scrape; every part in it started that long after `NOW_S`."""
    parts = {sample.part for sample in samples}
    started = [Sample(part, metrics.PROCESS_STARTED_SECONDS, {}, NOW_S + started_s) for part in parts]
    return Snapshot(NOW_S + at_s, (*samples, *started))


def requests(part: str, value: float) -> Sample:
    return Sample(part, REQUESTS, LABELS, value)


def lines(maker: PointMaker, now: Snapshot, measurement: str) -> list[str]:
    """The points of one measurement, without its name and the time."""
    found = [point.to_line_protocol() for point in maker.points(now)]
    return [line.removeprefix(measurement).rsplit(" ", 1)[0] for line in found if line.startswith(f"{measurement},")]


def test_a_counter_is_told_by_its_increase_summed_over_scorers() -> None:
    maker, name = PointMaker(), REQUESTS.removesuffix("_total")
    assert lines(maker, scrape(1000, requests(BLUE, 500)), name) == [], "nobody knows what it was before"
    both = scrape(1010, requests(BLUE, 520), requests(GREEN, 7), started_s=1005)
    assert lines(maker, both, name) == [",pipeline=p,status=200 increase=27,per_second=2.7"]
    anew = scrape(1020, requests(BLUE, 3), requests(GREEN, 7))  # blue's process began anew
    assert lines(maker, anew, name) == [",pipeline=p,status=200 increase=3,per_second=0.3"]
    gone = scrape(1030, requests(GREEN, 9))
    assert lines(maker, gone, name) == [",pipeline=p,status=200 increase=2,per_second=0.2"]


def test_an_old_process_that_is_first_seen_later_begins_at_what_it_shows() -> None:
    maker, name = PointMaker(), REQUESTS.removesuffix("_total")
    maker.points(scrape(1000, requests(BLUE, 1)))
    found = lines(maker, scrape(1010, requests(BLUE, 2), requests(GREEN, 5000)), name)
    assert found == [",pipeline=p,status=200 increase=1,per_second=0.1"]


def test_a_process_that_does_not_answer_for_a_moment_loses_nothing() -> None:
    maker, name = PointMaker(), REQUESTS.removesuffix("_total")
    maker.points(scrape(1000, requests(BLUE, 100)))
    maker.points(scrape(1010, requests(GREEN, 1)))
    found = lines(maker, scrape(1020, requests(BLUE, 130), requests(GREEN, 1)), name)
    assert found == [",pipeline=p,status=200 increase=30,per_second=3"]


def test_gauges_of_several_processes_are_one_point() -> None:
    maker = PointMaker()
    queue, age = sample_name(metrics.PREDICTION_QUEUE), sample_name(metrics.MODEL_AGE_SECONDS)
    now = scrape(
        0,
        *(Sample(part, queue, {"pipeline": "p"}, 5.0) for part in (BLUE, GREEN)),
        *(
            Sample(part, age, {"pipeline": "p", "model": "m"}, seconds)
            for part, seconds in ((BLUE, 60.0), (GREEN, 90.0))
        ),
        Sample(BLUE, age, {"pipeline": "p", "model": "n"}, float("nan")),
        Sample("x", "go_threads", {}, 7.0),
    )
    found = [point.to_line_protocol() for point in maker.points(now)]
    assert f"{queue},pipeline=p value=10 {round(NOW_S * 1000)}" in found
    assert f"{age},model=m,pipeline=p value=90 {round(NOW_S * 1000)}" in found
    assert not [line for line in found if "model=n" in line or "go_threads" in line]


def test_a_label_that_is_a_column_of_flux_gets_another_name() -> None:
    pending = sample_name(metrics.PENDING_BUCKETS)
    now = scrape(0, Sample("streaming", pending, {"pipeline": "p", "table": "rows"}, 3.0))
    assert lines(PointMaker(), now, pending) == [",pipeline=p,table_name=rows value=3"]


def test_the_processes_of_a_pipelines_scorers_are_one_series() -> None:
    memory = metrics.PROCESS_MEMORY_BYTES
    now = scrape(0, *(Sample(part, memory, {}, 100.0) for part in (BLUE, GREEN, "p-no-model-cccc", "monitor")))
    found = lines(PointMaker(), now, memory)
    assert sorted(found) == [",part=monitor value=100", ",part=scorers-p value=300"]


def test_a_histogram_is_told_by_what_it_observed_since_the_point_before() -> None:
    def observed(at_s: float, *counts: int, total_s: float) -> Snapshot:
        bounds = ("0.001", "0.002", "+Inf")
        buckets = [
            Sample(BLUE, f"{SECONDS.removesuffix('_sum')}_bucket", {"pipeline": "p", "le": bound}, count)
            for bound, count in zip(bounds, counts, strict=True)
        ]
        sums = [
            Sample(BLUE, SECONDS, {"pipeline": "p"}, total_s),
            Sample(BLUE, count_name(metrics.REQUEST_SECONDS), {"pipeline": "p"}, counts[-1]),
        ]
        return scrape(at_s, *buckets, *sums)

    maker, name = PointMaker(), SECONDS.removesuffix("_sum")
    assert lines(maker, observed(1000, 1000, 1000, 1000, total_s=900.0), name) == []
    (line,) = lines(maker, observed(1010, 1000, 1050, 1100, total_s=901.0), name)
    assert line == ",pipeline=p count=100,p50=0.002,p90=0.002,p99=0.002,sum=1"
    (line,) = lines(maker, observed(1020, 1000, 1050, 1100, total_s=901.0), name)
    assert line == ",pipeline=p count=0,sum=0"


@pytest.mark.parametrize(("share", "expected"), [(0.5, 1.0), (0.25, 0.5), (0.75, 1.5), (1.0, 2.0), (0.0, 0.0)])
def test_a_quantile_is_interpolated_within_its_bucket(share: float, expected: float) -> None:
    assert quantile(share, [(1.0, 50.0), (2.0, 100.0), (float("inf"), 100.0)]) == expected


@given(counts=st.lists(st.integers(0, 50), min_size=2, max_size=8), shares=st.lists(st.floats(0, 1), min_size=2))
def test_quantiles_lie_within_the_bounds_and_rise(counts: list[int], shares: list[float]) -> None:
    bounds = [*(float(number + 1) for number in range(len(counts) - 1)), float("inf")]
    cumulative = [float(sum(counts[: number + 1])) for number in range(len(counts))]
    if not cumulative[-1]:
        return
    found = [quantile(share, list(zip(bounds, cumulative, strict=True))) for share in sorted(shares)]
    assert found == sorted(found)
    assert all(0 <= value <= bounds[-2] for value in found)


def test_every_number_is_a_float_since_influxdb_keeps_the_kind_of_the_first() -> None:
    metrics.HOST_NETWORK_BYTES.replace({("received",): 7})
    maker, own = PointMaker(), own_samples()
    assert {type(sample.value) for sample in own} >= {int}, "the library shows some as whole numbers"
    maker.points(Snapshot(NOW_S, own))
    made = maker.points(Snapshot(NOW_S + 10, own_samples()))
    assert {type(value) for point in made for value in point._fields.values()} == {float}
