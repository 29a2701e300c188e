"""When a pipeline is trained, and which of its candidates is proposed: without a cluster."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.layout import Places
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL
from training import trainer
from training.candidates.build_candidate import below_floors, version_at
from training.candidates.registry import moment_of, versions, write_candidate
from training.trainer import Turn, take_turn, tidy
from training.window import Window

PIPELINE = load(MINIMAL)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WINDOW = Window("rows", 1, 0, 60, 120, ("a",))


def test_a_pipeline_is_due_at_once_and_then_whenever_its_interval_has_passed() -> None:
    assert Turn().is_due(PIPELINE, NOW)
    every = PIPELINE.training.every
    assert not Turn(NOW).is_due(PIPELINE, NOW + every - timedelta(milliseconds=1))
    assert Turn(NOW).is_due(PIPELINE, NOW + every)


def test_a_run_without_new_rows_is_left_out_and_one_that_failed_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = [None, WINDOW, WINDOW, replace(WINDOW, version=2), replace(WINDOW, version=3, files=("a", "b"))]
    trained: list[int] = []

    def train(_: object, __: object, window: Window) -> dict[str, object]:
        trained.append(window.version)
        if len(trained) == 1:
            raise RuntimeError("H2O went away")
        return {"version": "v", "why": "", "metrics": {"auc": 0.7}}

    monkeypatch.setattr(trainer, "newest_window", lambda *_: windows.pop(0))
    monkeypatch.setattr(trainer, "train_once", train)
    tidied: list[datetime] = []

    def tidy_at(_: object, __: object, now: datetime) -> list[str]:
        tidied.append(now)
        return []

    monkeypatch.setattr(trainer, "tidy", tidy_at)
    turn = Turn()
    for number in range(5):
        try:
            take_turn(Places(tmp_path), PIPELINE, turn, NOW + number * timedelta(minutes=1))
        except RuntimeError:
            assert turn.began == NOW + timedelta(minutes=1), "the next try waits for its turn"
    assert trained == [1, 1, 3], "compaction alone gives no new rows"
    assert tidied == [NOW + number * timedelta(minutes=1) for number in (2, 4)], "after each run"


def test_what_nothing_keeps_is_removed_from_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}", "HOTPATH_CLOUD_KAFKA": "not.asked:9092"})
    pipeline = replace(PIPELINE, training=replace(PIPELINE.training, keep=2))
    folder = places.registry(pipeline.name)
    champion, old, *newest = (version_at(pipeline, NOW + number * timedelta(minutes=1)) for number in range(4))
    for version in (champion, old, *newest):
        write_candidate(folder, {"version": version}, {"model.zip": b"model"})
    monkeypatch.setattr(trainer, "model_states", lambda *_: {champion: {"state": "champion"}})
    assert tidy(places, pipeline, NOW + timedelta(hours=1)) == [old]
    assert versions(folder) == [champion, *newest]


@pytest.mark.parametrize(
    ("metrics", "missed"),
    [
        ({"auc": 0.65, "log_loss": 0.5}, []),
        ({"auc": 0.64, "log_loss": 0.5}, ["auc 0.64 is below its floor 0.65"]),
        ({"auc": None, "log_loss": 0.5}, ["auc None is below its floor 0.65"]),
    ],
)
def test_a_candidate_below_a_floor_or_without_a_figure_is_not_proposed(
    metrics: dict[str, float | None], missed: list[str]
) -> None:
    pipeline = replace(PIPELINE, promotion=replace(PIPELINE.promotion, floors={"auc": 0.65}))
    assert below_floors(pipeline, metrics) == missed


def test_a_version_says_when_it_was_trained() -> None:
    version = version_at(PIPELINE, NOW.astimezone(tz=None))
    assert version == "machines-20261121T120000Z"
    assert moment_of(version) == NOW
