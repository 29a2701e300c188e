"""How good the models' answers turned out to be, as points for InfluxDB, at the minute of `due` that they are of.

`contract.measurements` says which fields each of the three measurements has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from contract.manifest import is_version, moment_of
from contract.measurements import MODEL_REALISED, SLICE_REALISED, VERSION_REALISED
from monitoring.judge.model_health import Realised
from monitoring.judge.outcome_follower import Found

NO_LEVEL: Final = "(missing)"
"""InfluxDB knows no empty tag."""


class Key(NamedTuple):
    """One series, and the minute where each minute stays as it is."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    minute_s: int = 0


@dataclass
class ModelPoints:
    """Makes points of what is new since the last call, so that a minute that stays is not written for ever."""

    _written: dict[Key, Realised] = field(default_factory=dict)

    def points(self, found: Mapping[str, Found]) -> list[Point]:
        """Of every pipeline by name."""
        now = {key: realised for pipeline, each in found.items() for key, realised in _figures(pipeline, each)}
        changed = {key: realised for key, realised in now.items() if self._written.get(key) != realised}
        self._written = now
        return [_point(key, realised) for key, realised in changed.items()]


def _figures(pipeline: str, found: Found) -> Iterator[tuple[Key, Realised]]:
    of = ("pipeline", pipeline)
    for realised in found.realised:
        yield Key(MODEL_REALISED.name, (of,), realised.minute_s), realised
    for labels, by_model in (("final", found.by_model), ("provisional", found.provisional)):
        for model, of_version in by_model.items():
            if of_version is not None:
                yield Key(VERSION_REALISED.name, (of, ("model", model), ("labels", labels))), of_version
    for each in found.by_slice:
        level = each.level or NO_LEVEL
        yield Key(SLICE_REALISED.name, (of, ("slice", each.slice), ("level", level))), each.realised


def _point(key: Key, realised: Realised) -> Point:
    point: Point = Point(key.measurement)
    for tag, value in key.tags:
        point.tag(tag, value)
    for name, figure in realised.figures.items():
        point.field(name, figure.value).field(f"{name}_low", figure.low).field(f"{name}_high", figure.high)
    point.field("outcomes", float(realised.outcomes)).field("positives", float(realised.positives))
    point.field("span_s", float(realised.span_s))
    model = dict(key.tags).get("model", "")
    if is_version(model):
        point.field("age_s", realised.minute_s - moment_of(model).timestamp())
    point.time(realised.minute_s * 1000, WritePrecision.MS)
    return point
