"""Points of every metric and every other measurement, made as the monitor makes them: for an InfluxDB to be asked.

All that only a fault brings is there, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final, cast

from influxdb_client.client.write.point import Point

from contract import metrics
from contract.measurements import FIGURES
from contract.metric_types import DECLARED, Declared
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.influx.influx_points import PointMaker
from monitoring.judge.event_points import EventPoints
from monitoring.judge.model_health import OfLevel, Realised
from monitoring.judge.model_points import ModelPoints
from monitoring.judge.outcome_follower import Found
from monitoring.judge.stage import Problem
from monitoring.page.status_points import StatusPoints
from tests.monitoring.page.test_page_server import a_view
from training.evaluation.confidence_intervals import Interval

EVERY_S: Final = 10.0
SCRAPES: Final = 30
MODELS: Final = ("flights-20261128T010000Z", "flights-20261128T020000Z")
LABELS: Final = {
    "pipeline": ("flights",),
    "model": MODELS[1:],
    "host": ("ops-1", 'ops "2"'),
    "status": ("200", "500"),
    "table": ("events", "rows", "outcomes", "dead_letters"),
    "side": ("onprem", "cloud"),
    "state": ("row", "duplicate"),
}
"""The values of labels that queries name; of all others they are of no account."""
FIRES: Final = 2.0
CLOCK: Final = Problem("clock_ahead:ops-1", "the clock of ops-1 is 3 h ahead", "")


def lines(now_s: float, file: Path) -> list[str]:
    """Five minutes of them up to now; `file` is where events are kept."""
    points: list[Point] = []
    maker, events = PointMaker(), EventPoints(file)
    for turn in range(SCRAPES + 1):
        now = _snapshot(now_s - (SCRAPES - turn) * EVERY_S, turn)
        points += maker.points(now)
        events.take(now, {"flights": [CLOCK]})
    points += [*events.points(), *StatusPoints().points(a_view().pipelines, now_s), *_models(now_s)]
    return [cast(str, point.to_line_protocol()) for point in points]


def _models(now_s: float) -> Iterator[Point]:
    """Two versions and a slice, at each of three minutes."""
    made, figures = ModelPoints(), {name: Interval(0.7, 0.6, 0.8) for name in FIGURES}
    for minute in range(3):
        minute_s = int(now_s // 60 - 2 + minute) * 60
        version = MODELS[minute % 2]
        one = Realised(minute_s, 180, 0.7, 0.5, 200, 50, version, figures)
        found = Found(
            realised=(one,),
            by_model={version: one},
            provisional={version: replace(one, outcomes=150)},
            by_slice=(OfLevel("origin", "JFK", one), OfLevel("producing_host", 'ops "2"', one)),
        )
        yield from made.points({"flights": found})


def _snapshot(time_s: float, turn: int) -> Snapshot:
    return Snapshot(time_s, tuple(sample for each in DECLARED for sample in _samples(each, time_s, turn)))


def _samples(declared: Declared, time_s: float, turn: int) -> Iterator[Sample]:
    if declared.metric is metrics.ALERT_STATE:
        labels = {"alert": "disk", "severity": "warning", "pipeline": ""}
        yield Sample("monitor", declared.name, labels, FIRES)
        yield Sample("monitor", declared.name, labels | {"alert": "pinned", "pipeline": "flights"}, FIRES)
        return
    for values in product(*(LABELS.get(label, ("one",)) for label in declared.labels)):
        labels = dict(zip(declared.labels, values, strict=True))
        for ending, more, value in _values(declared, time_s, turn):
            yield Sample("trainer", declared.name + ending, labels | more, value)


def _values(declared: Declared, time_s: float, turn: int) -> Iterable[tuple[str, dict[str, str], float]]:
    """The ending of a sample's name, its further labels, and its value: every counter and amount grows."""
    if declared.kind == "counter":
        return [("_total", {}, 5.0 * turn)]
    if declared.kind == "histogram":
        buckets = [("_bucket", {"le": bound}, 3.0 * turn) for bound in ("0.01", "1.0", "+Inf")]
        return [("_count", {}, 3.0 * turn), ("_sum", {}, 0.02 * turn), *buckets]
    if declared.unit == "s since 1970":
        return [("", {}, time_s - 30)]
    if declared.unit in ("records", "bytes"):
        return [("", {}, 1000.0 * turn)]
    return [("", {}, 1.0)]
