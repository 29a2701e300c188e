"""What happened once, as points for InfluxDB that dashboards show as annotations (`hotpath_events`).

Parts tell states, not events: each look is compared with what was told before. That is kept in a file, so that a
monitor that starts again tells nothing twice, and what came meanwhile once. Where the source tells the moment, the
point has it: written again, it is the same point.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from contract import metrics
from contract.files import write_durably
from contract.measurements import EVENTS
from contract.metric_types import Gauge
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.judge.stage import Problem

CLOCK_CODES: Final = ("clock_ahead:", "clock_behind:", "clock_ahead", "clock_behind")
"""Codes of problems with clocks, or what they begin with; the host follows."""
MOST_WAITING: Final = 1000
log = logging.getLogger("monitor")


class Told(msgspec.Struct):
    """What was told of a pipeline last; a figure that no part shows now stays."""

    model: str = ""
    rejected: str = ""
    pinned: str = ""
    failures: float = 0.0
    losses: float = 0.0
    clocks: set[str] = msgspec.field(default_factory=set)


class EventPoints:
    """`take` every look; `points` gives what is new since its last call."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._told = _read(file)
        self._saved = msgspec.json.encode(self._told, order="deterministic")
        self._waiting: list[Point] = []

    def take(self, now: Snapshot, problems: Mapping[str, Iterable[Problem]]) -> None:
        """A look, and what is told of each pipeline in it."""
        found = [point for name, told in problems.items() if name for point in self._events(name, now, told)]
        self._waiting = (self._waiting + found)[-MOST_WAITING:]

    def points(self) -> list[Point]:
        """The events since the last call. From now on they count as told, also to a monitor that starts again."""
        found, self._waiting = self._waiting, []
        self._save()
        return found

    def _events(self, pipeline: str, now: Snapshot, problems: Iterable[Problem]) -> Iterator[Point]:
        told = self._told.setdefault(pipeline, Told())
        yield from _switch(pipeline, now, told)
        yield from _rejection(pipeline, now, told)
        yield from _pin(pipeline, now, told)
        yield from _retrain_failure(pipeline, now, told)
        yield from _loss(pipeline, now, told)
        yield from _clock_alerts(pipeline, now, told, problems)

    def _save(self) -> None:
        now = msgspec.json.encode(self._told, order="deterministic")
        if now == self._saved:
            return
        try:
            write_durably(self._file, now)
            self._saved = now
        except OSError as error:
            metrics.PROBLEMS.labels(part="monitor").inc()
            log.error("events not written file=%s error=%r", self._file, str(error))


def _switch(pipeline: str, now: Snapshot, told: Told) -> Iterator[Point]:
    champion = _newest(now, metrics.CHAMPION_SINCE, pipeline)
    if champion and champion.labels["model"] != told.model:
        told.model = champion.labels["model"]
        text = f"{told.model} serves, by {champion.labels['who']}: {champion.labels['reason']}"
        yield _event(pipeline, "switch", text, champion.value, model=told.model)


def _rejection(pipeline: str, now: Snapshot, told: Told) -> Iterator[Point]:
    rejected = _newest(now, metrics.REJECTED_SINCE, pipeline)
    if rejected and rejected.labels["model"] != told.rejected:
        told.rejected = rejected.labels["model"]
        text = f"{told.rejected} is rejected: {rejected.labels['reason']}"
        yield _event(pipeline, "rejection", text, rejected.value, model=told.rejected)


def _pin(pipeline: str, now: Snapshot, told: Told) -> Iterator[Point]:
    pinned = _newest(now, metrics.MODEL_PINNED, pipeline)
    key = f"{pinned.labels['model']} {pinned.value}" if pinned else told.pinned
    if pinned and key != told.pinned:
        told.pinned = key
        text = f"{pinned.labels['model']} is pinned by {pinned.labels['who']}: newer models wait"
        yield _event(pipeline, "pin", text, pinned.value, model=pinned.labels["model"])


def _retrain_failure(pipeline: str, now: Snapshot, told: Told) -> Iterator[Point]:
    failures = now.largest(metrics.TRAINING_FAILURES, pipeline=pipeline)
    if failures is None:
        return
    is_new, told.failures = failures > told.failures, failures
    if is_new:
        reasons = [sample.labels["reason"] for sample in now.find(metrics.TRAINING_FAILING, pipeline=pipeline)]
        in_a_row = "" if failures == 1 else f" ({failures:.0f} in a row)"
        text = f"a training run failed{in_a_row}: {reasons[0] if reasons else 'see the log of the trainer'}"
        yield _event(pipeline, "retrain_failure", text, now.time_s)


def _loss(pipeline: str, now: Snapshot, told: Told) -> Iterator[Point]:
    losses = now.largest(metrics.LOSSES_UNACKNOWLEDGED, pipeline=pipeline)
    if losses is None:
        return
    new, told.losses = losses - told.losses, losses
    if new > 0:
        what = "records were lost" if new == 1 else f"records were lost {new:.0f} times"
        yield _event(pipeline, "loss", f"{what}: hotpath losses list", now.time_s)


def _clock_alerts(pipeline: str, now: Snapshot, told: Told, problems: Iterable[Problem]) -> Iterator[Point]:
    """While no part shows offsets nobody knows whether a clock is right again."""
    clocks = {each.code: each.text for each in problems if each.code.startswith(CLOCK_CODES)}
    new = clocks.keys() - told.clocks
    if now.find(metrics.CLOCK_OFFSET_SECONDS, pipeline=pipeline):
        told.clocks &= clocks.keys()
    told.clocks |= new
    for code in sorted(new):
        host = next(
            (code.removeprefix(each) for each in CLOCK_CODES if each.endswith(":") and code.startswith(each)), ""
        )
        yield _event(pipeline, "clock_alert", clocks[code], now.time_s, host=host)


def _newest(now: Snapshot, metric: Gauge, pipeline: str) -> Sample | None:
    """The newest of a gauge of moments."""
    return max(now.find(metric, pipeline=pipeline), key=lambda sample: sample.value, default=None)


def _event(pipeline: str, kind: str, text: str, time_s: float, model: str = "", host: str = "") -> Point:
    point: Point = Point(EVENTS.name).tag("pipeline", pipeline).tag("kind", kind)
    for tag, value in (("model", model), ("host", host)):
        if value:
            point.tag(tag, value)
    point.field("text", text).time(round(time_s * 1000), WritePrecision.MS)
    return point


def _read(file: Path) -> dict[str, Told]:
    """Nothing where there is no file; a damaged one is logged, and replaced by the next event."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Told])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        metrics.PROBLEMS.labels(part="monitor").inc()
        log.error("events not read, starting with none file=%s error=%r", file, str(error))
        return {}
