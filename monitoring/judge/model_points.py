"""How good the models' answers turned out to be, as points for InfluxDB, at the minute of `due` that they are of.

hotpath_model_realised           pipeline                     all that was served, over the span that ends at the minute
hotpath_model_version_realised   pipeline, model, labels      one version over all its outcomes; `labels` is `final`, or
                                                              `provisional` for labels that came before their bucket
                                                              was built
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from monitoring.judge.model_health import Realised
from monitoring.judge.outcome_follower import Found

REALISED: Final = "hotpath_model_realised"
OF_VERSION: Final = "hotpath_model_version_realised"
Key: TypeAlias = tuple[str, str, str]
"""Pipeline, version, and labels; of all that was served the minute, and no labels."""


@dataclass
class ModelPoints:
    """Makes points of what is new since the last call, so that a minute that stays is not written for ever."""

    _written: dict[Key, Realised] = field(default_factory=dict)

    def points(self, found: Mapping[str, Found]) -> list[Point]:
        """Of every pipeline by name."""
        now = dict(_figures(found))
        changed = {key: realised for key, realised in now.items() if self._written.get(key) != realised}
        self._written = now
        return [_point(key, realised) for key, realised in changed.items()]


def _figures(found: Mapping[str, Found]) -> Iterator[tuple[Key, Realised]]:
    for pipeline, each in found.items():
        for realised in each.realised:
            yield (pipeline, str(realised.minute_s), ""), realised
        for labels, by_model in (("final", each.by_model), ("provisional", each.provisional)):
            for model, of_version in by_model.items():
                if of_version is not None:
                    yield (pipeline, model, labels), of_version


def _point(key: Key, realised: Realised) -> Point:
    pipeline, model, labels = key
    point: Point = Point(OF_VERSION if labels else REALISED).tag("pipeline", pipeline)
    if labels:
        point.tag("model", model).tag("labels", labels)
    point.field("auc", realised.auc).field("log_loss", realised.log_loss).field("outcomes", float(realised.outcomes))
    point.field("positives", float(realised.positives)).field("span_s", float(realised.span_s))
    point.time(realised.minute_s * 1000, WritePrecision.MS)
    return point
