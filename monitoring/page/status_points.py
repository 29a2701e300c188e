"""What the status page says, as points for InfluxDB: whoever looks at dashboards reads the same sentences.

hotpath_status_sentence   pipeline           the first line
hotpath_stage             pipeline, stage    each stage with its first problem and its figures
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from contract.measurements import STAGE, STATUS_SENTENCE
from monitoring.judge.stage import Stage
from monitoring.judge.trust import Verdict
from monitoring.page.view import PipelineView

EVERY_S: Final = 60.0
"""What does not change is told this often, so that a short range of time shows it."""
TRUST: Final[dict[Verdict, float]] = {"trusted": 1.0, "not_known": 0.0, "not_trusted": -1.0}
Key = tuple[str, ...]


@dataclass
class StatusPoints:
    """Makes points of what has changed since the last call, and of all once a minute."""

    _told: dict[Key, str] = field(default_factory=dict)
    _all_told_s: float = 0.0

    def points(self, views: Iterable[PipelineView], now_s: float) -> list[Point]:
        """Of every pipeline, at this moment. The figures of a stage alone are no change."""
        is_all = now_s >= self._all_told_s + EVERY_S - 1
        if is_all:
            self._all_told_s = now_s
        told = {key: (words, point) for view in views for key, words, point in _of(view)}
        new = [point for key, (words, point) in told.items() if is_all or self._told.get(key) != words]
        self._told = {key: words for key, (words, _) in told.items()}
        return [point.time(round(now_s * 1000), WritePrecision.MS) for point in new]


def _of(view: PipelineView) -> Iterator[tuple[Key, str, Point]]:
    """A key, what is compared, and the point."""
    name = view.pipeline.name
    sentence: Point = Point(STATUS_SENTENCE.name).tag("pipeline", name)
    yield (name,), view.verdict, sentence.field("text", view.headline).field("trust", TRUST[view.verdict])
    for place, stage in enumerate(view.stages, 1):
        yield (name, stage.name), stage.problem or "", _stage(name, place, stage)


def _stage(pipeline: str, place: int, stage: Stage) -> Point:
    point: Point = Point(STAGE.name).tag("pipeline", pipeline).tag("stage", stage.name)
    point.field("place", float(place)).field("problems", float(len(stage.problems)))
    point.field("problem", stage.problem or "").field("command", stage.command or "")
    point.field("figures", ", ".join(figure for figure in stage.figures if figure))
    return point
