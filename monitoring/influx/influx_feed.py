"""What the monitor sees, on its way to InfluxDB: scrapes and the monitor's own metrics, made to points."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from typing import Final

from influxdb_client.client.write.point import Point
from prometheus_client import REGISTRY

from contract import variables
from contract.layout import Influx, Places
from contract.process_end import VitalThread
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.influx.influx_points import PointMaker
from monitoring.influx.influx_writer import InfluxWriter
from monitoring.influx.point_spool import PointSpool

EVERY_S: Final = 10.0
OWN_PART: Final = "monitor"


class InfluxFeed:
    """One InfluxDB; `start` begins to send."""

    def __init__(self, places: Places, influx: Influx) -> None:
        spool = PointSpool(places.folder.influx_points, places.environment.get(variables.INFLUX_SPOOL))
        self._writer = InfluxWriter(influx, spool)
        self._maker = PointMaker()
        self._next_s = 0.0

    def start(self) -> None:
        VitalThread("influx", self._writer.run).start()

    def take(self, now: Snapshot, more: Callable[[], Iterable[Point]]) -> None:
        """Keep the points of a scrape, every `EVERY_S`; and those that `more` makes then."""
        if now.time_s < self._next_s:
            return
        self._next_s = now.time_s + EVERY_S - 0.5  # looks are not on the second: a late one must not cost an interval
        points = self._maker.points(replace(now, samples=(*now.samples, *own_samples())))
        self._writer.add(point.to_line_protocol() for point in chain(points, more()))

    def problem(self) -> str | None:
        """Why InfluxDB has no new points; None while all is well."""
        return self._writer.problem()


def own_samples() -> tuple[Sample, ...]:
    """The metrics of this process, as others would scrape them."""
    return tuple(
        Sample(OWN_PART, sample.name, sample.labels, sample.value)
        for family in REGISTRY.collect()
        for sample in family.samples
    )
