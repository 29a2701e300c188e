"""The status page's sentences on their way to InfluxDB."""

from __future__ import annotations

from contract.measurements import MEASUREMENTS, STAGE, STATUS_SENTENCE
from monitoring.page.status_points import EVERY_S, StatusPoints
from tests.monitoring.page.test_page_server import NOW, a_view


def lines(
    points: StatusPoints, now_s: float, model: str | None = "flights-20261121T120000Z", **silent: str
) -> list[str]:
    return [str(point.to_line_protocol()) for point in points.points(a_view(silent or None, model).pipelines, now_s)]


def test_the_sentence_and_every_stage_are_told_as_the_page_shows_them() -> None:
    sentence, *stages = lines(StatusPoints(), NOW, trainer="refused")
    assert sentence.startswith(f"{STATUS_SENTENCE.name},pipeline=flights ")
    assert a_view({"trainer": "refused"}).pipelines[0].headline in sentence
    assert ",trust=0 " in sentence
    assert [line.partition(",stage=")[2].partition(" ")[0] for line in stages] == [
        stage.name for stage in a_view().pipelines[0].stages
    ]
    training = next(line for line in stages if line.startswith(f"{STAGE.name},pipeline=flights,stage=training"))
    assert 'command="./hotpath logs trainer"' in training
    assert 'problem="trainer does not answer: refused"' in training


def test_what_stays_is_told_once_a_minute_and_what_changes_at_once() -> None:
    points = StatusPoints()
    assert len(lines(points, NOW)) == 9
    assert lines(points, NOW + 10) == []
    changed = lines(points, NOW + 20, trainer="refused")
    assert len(changed) == 2, "the sentence, and the stage"
    assert len(lines(points, NOW + EVERY_S, trainer="refused")) == 9
    assert lines(points, NOW + EVERY_S + 10, trainer="refused") == []


def test_the_points_have_the_declared_tags_and_fields() -> None:
    declared = {each.name: each for each in MEASUREMENTS}
    for point in StatusPoints().points(a_view().pipelines, NOW):
        of = declared[point._name]
        assert set(point._tags) <= set(of.tags)
        assert set(point._fields) == set(of.fields)
