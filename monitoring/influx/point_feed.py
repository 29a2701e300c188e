"""What the monitor sees, on its way to InfluxDB and Graphite: scrapes and the monitor's own metrics, made to points."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from influxdb_client.client.write.point import Point
from prometheus_client import REGISTRY

from contract import variables
from contract.layout import Places
from contract.process_end import VitalThread
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.influx.graphite_writer import GraphiteWriter, graphite_lines
from monitoring.influx.influx_points import PointMaker
from monitoring.influx.influx_writer import InfluxWriter
from monitoring.influx.point_spool import PointSpool

EVERY_S: Final = 10.0
OWN_PART: Final = "monitor"


class PointFeed:
    """To the InfluxDB and the Graphite that are named, if any; `start` begins to send."""

    def __init__(self, places: Places) -> None:
        self._influx = _influx_writer(places)
        self._graphite = GraphiteWriter(address) if (address := places.graphite) else None
        self._maker = PointMaker()
        self._next_s = 0.0

    @property
    def is_wanted(self) -> bool:
        return self._influx is not None or self._graphite is not None

    def start(self) -> None:
        if self._influx:
            VitalThread("influx", self._influx.run).start()
        if self._graphite:
            VitalThread("graphite", self._graphite.run).start()

    def take(self, now: Snapshot, more: Callable[[], Iterable[Point]]) -> None:
        """Every `EVERY_S` keep the points of a scrape that holds the monitor's own samples too, and of `more`."""
        if now.time_s < self._next_s or not self.is_wanted:
            return
        self._next_s = now.time_s + EVERY_S - 0.5  # looks are not on the second: a late one must not cost an interval
        points = [*self._maker.points(now), *more()]
        if self._influx:
            self._influx.add(point.to_line_protocol() for point in points)
        if self._graphite:
            self._graphite.add(line for point in points for line in graphite_lines(point))

    def problems(self) -> dict[str, str | None]:
        """Of `influxdb` and `graphite`, as far as they are named: why it has no new points; None while all is well."""
        writers = {"influxdb": self._influx, "graphite": self._graphite}
        return {name: writer.problem() for name, writer in writers.items() if writer is not None}


def _influx_writer(places: Places) -> InfluxWriter | None:
    influx = places.influx
    if influx is None:
        return None
    spool = PointSpool(places.folder.influx_points, places.environment.get(variables.INFLUX_SPOOL))
    return InfluxWriter(influx, spool)


def own_samples() -> tuple[Sample, ...]:
    """The metrics of this process, as others would scrape them."""
    return tuple(
        Sample(OWN_PART, sample.name, sample.labels, sample.value)
        for family in REGISTRY.collect()
        for sample in family.samples
    )
