"""When a pipeline is trained, and which of its candidates is proposed: without a cluster."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY

from contract.layout import Places
from contract.manifest import MODEL, REFERENCE, SPEC, Manifest, manifest_from, moment_of, version_at
from contract.messages.model_states import ModelState
from contract.pipeline import Scorecard, Tolerance
from contract.timestamps import rfc3339
from streaming.pipeline_file.load import load
from tests.manifests import manifest_of
from tests.streaming.pipelines import MINIMAL
from tests.training.scorecard.holdouts import parts
from training import trainer
from training.candidates.build_candidate import below_floors
from training.candidates.published_states import PublishedStates
from training.candidates.registry import versions, write_candidate
from training.failures import UNEXPECTED, Failures
from training.trainer import Turn, tidy, try_turn
from training.training_errors import H2oUnavailable, NotEnoughRows, TrainingFailed
from training.window import Window

PIPELINE = load(MINIMAL)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FILES = {MODEL: b"model", SPEC: b"", REFERENCE: b""}
WINDOW = Window("rows", 1, 0, 60, 120, ("a",))

LOST = ((60, 180),)


@pytest.fixture(autouse=True)
def losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of these buckets were lost."""
    monkeypatch.setattr(trainer, "excluded_buckets", lambda *_: LOST)


def test_buckets_that_have_lost_records_leave_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(trainer, "newest_window", lambda *given: asked.append(given[-1]))
    try_turn(Places(tmp_path), PIPELINE, Turn(Failures("lost")), NOW)
    assert asked == [LOST]


def manifest(version: str) -> Manifest:
    return manifest_from(manifest_of(version))


def test_a_pipeline_is_due_at_once_and_then_whenever_its_interval_has_passed() -> None:
    assert Turn(Failures("p")).is_due(PIPELINE, NOW)
    every = PIPELINE.training.every
    assert not Turn(Failures("p"), NOW).is_due(PIPELINE, NOW + every - timedelta(milliseconds=1))
    assert Turn(Failures("p"), NOW).is_due(PIPELINE, NOW + every)


def test_a_run_without_new_rows_is_left_out_and_one_that_failed_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = [None, WINDOW, WINDOW, replace(WINDOW, version=2), replace(WINDOW, version=3, files=("a", "b"))]
    monkeypatch.setattr(trainer, "has_new_rows", lambda _, window, since: window.files != since.files)
    trained: list[int] = []

    def train(_: object, __: object, window: Window, ___: object) -> Manifest:
        trained.append(window.version)
        if len(trained) == 1:
            raise RuntimeError("H2O went away")
        return manifest("machines-20261121T120000Z")

    monkeypatch.setattr(trainer, "newest_window", lambda *_: windows.pop(0))
    monkeypatch.setattr(trainer, "train_once", train)
    tidied: list[datetime] = []

    def tidy_at(_: object, __: object, now: datetime) -> list[str]:
        tidied.append(now)
        return []

    monkeypatch.setattr(trainer, "tidy", tidy_at)
    turn = Turn(Failures(PIPELINE.name))
    for number in range(5):
        try_turn(Places(tmp_path), PIPELINE, turn, NOW + number * timedelta(minutes=1))
        if number == 1:
            assert turn.began == NOW + timedelta(minutes=1), "the next try waits for its turn"
    assert trained == [1, 1, 3]
    assert tidied == [NOW + number * timedelta(minutes=1) for number in (2, 4)], "after each run"


def test_a_pipeline_that_somebody_wants_trained_is_due_at_once_and_needs_no_new_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []

    def train(_: object, __: object, window: Window, ___: object) -> Manifest:
        trained.append(window.version)
        return manifest("machines-20261121T120000Z")

    monkeypatch.setattr(trainer, "newest_window", lambda *_: WINDOW)
    monkeypatch.setattr(trainer, "train_once", train)
    monkeypatch.setattr(trainer, "tidy", lambda *_: [])
    turn = Turn(Failures("ordered"))
    for ordered in (False, False, True, False):
        turn.is_ordered = turn.is_ordered or ordered
        if ordered:
            assert turn.is_due(PIPELINE, NOW)
        try_turn(Places(tmp_path), PIPELINE, turn, NOW)
    assert trained == [1, 1]
    assert not turn.is_due(PIPELINE, NOW), "a command is done once"


def metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_runs_that_fail_again_and_again_are_counted_with_their_reason_until_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, broken = H2oUnavailable("http://h2o: refused"), TrainingFailed("3 rows", "no rows are left")
    unknown = RuntimeError("what is this?")
    ends: list[Exception | None] = [away, away, broken, unknown, NotEnoughRows("wait"), None]

    def train(*_: object) -> Manifest:
        if error := ends.pop(0):
            raise error
        return manifest("machines-20261121T120000Z")

    monkeypatch.setattr(trainer, "newest_window", lambda *_: WINDOW)
    monkeypatch.setattr(trainer, "train_once", train)
    monkeypatch.setattr(trainer, "tidy", lambda *_: [])
    turn, told, waits = Turn(Failures("again")), [], []
    pipeline = replace(PIPELINE, name="again")
    while ends:
        try_turn(Places(tmp_path), pipeline, turn, NOW)
        reasons = (away.reason, broken.reason, UNEXPECTED)
        found = [why for why in reasons if metric("hotpath_training_failing", pipeline="again", reason=why)]
        told.append((metric("hotpath_training_failures_in_a_row", pipeline="again"), found))
        waits.append(metric("hotpath_training_waiting", pipeline="again"))
    first, second = (1, [away.reason]), (2, [away.reason])
    rest = [(3, ["no rows are left"]), (4, [UNEXPECTED]), (4, [UNEXPECTED]), (0, [])]
    assert told == [first, second, *rest], "rows that are still too few are no failure"
    assert waits == [0, 0, 0, 0, 1, 0]


def test_old_candidates_that_cannot_be_removed_make_no_run_a_failed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> list[str]:
        raise OSError("the name node is away")

    monkeypatch.setattr(trainer, "newest_window", lambda *_: WINDOW)
    done = manifest(version_at(PIPELINE.name, NOW))
    monkeypatch.setattr(trainer, "train_once", lambda *_: done)
    monkeypatch.setattr(trainer, "tidy", away)
    turn, before = Turn(Failures("untidy")), metric("hotpath_problems_total", part="trainer") or 0
    try_turn(Places(tmp_path), PIPELINE, turn, NOW)
    assert (turn.window, turn.failures.in_a_row) == (WINDOW, 0)
    assert metric("hotpath_problems_total", part="trainer") == before + 1


def test_tables_that_cannot_be_looked_at_are_looked_at_again_soon_but_not_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Window:
        raise OSError("the name node is away")

    monkeypatch.setattr(trainer, "newest_window", away)
    turn = Turn(Failures("away"))
    try_turn(Places(tmp_path), PIPELINE, turn, NOW)
    assert not turn.is_due(PIPELINE, NOW + timedelta(seconds=2))
    assert turn.is_due(PIPELINE, NOW + trainer.RETRY_AFTER), "no run began: it need not wait for the next"


def test_what_nothing_keeps_is_removed_from_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}", "HOTPATH_CLOUD_KAFKA": "not.asked:9092"})
    pipeline = replace(PIPELINE, training=replace(PIPELINE.training, keep=2))
    folder = places.registry(pipeline.name)
    champion, old, *newest = (version_at(pipeline.name, NOW + number * timedelta(minutes=1)) for number in range(4))
    for version in (champion, old, *newest):
        write_candidate(folder, manifest(version), FILES)
    served = ModelState(champion, "champion", False, "rollout", "2026-11-21T12:00:00.000Z", "", None)
    monkeypatch.setattr(trainer, "published_states", lambda *_: PublishedStates({}))
    assert tidy(places, pipeline, NOW + timedelta(hours=1)) == [], "no state is known: nobody knows what is pinned"
    monkeypatch.setattr(trainer, "published_states", lambda *_: PublishedStates({champion: served}, frozenset({old})))
    assert tidy(places, pipeline, NOW + timedelta(hours=1)) == [], "the record of the old one does not read"
    monkeypatch.setattr(trainer, "published_states", lambda *_: PublishedStates({champion: served}))
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
    version = version_at(PIPELINE.name, NOW.astimezone(tz=None))
    assert version == "machines-20261121T120000Z"
    assert moment_of(version) == NOW


def test_with_tolerances_the_holdout_is_split_and_the_card_ends_with_the_models_greatest_age() -> None:
    compare, calibrate = parts(300)
    names = ("probability", "label", "group", "partition", "offset", "append_us")
    both: dict[str, Any] = {name: np.concatenate([getattr(compare, name), getattr(calibrate, name)]) for name in names}
    whole = replace(compare, **both | {"slices": {}})
    careful = Scorecard((Tolerance("careful", false_omission_rate=0.1),), "careful")
    pipeline = replace(PIPELINE, scorecard=careful)
    found_compare, found_calibrate = trainer._parts(pipeline, whole)
    assert len(found_compare.label) + len(found_calibrate.label) == len(whole.label)
    card = trainer._card(pipeline, found_compare, found_calibrate, NOW)
    assert card is not None
    assert card.default == "careful"
    assert card.tolerances[0].valid_until == rfc3339(NOW + pipeline.serving.max_age)
    assert trainer._card(PIPELINE, whole, whole, NOW) is None, "without a tolerance there is no card"
    assert trainer._parts(PIPELINE, whole)[0] is whole
    one_group = whole.rows(whole.group == whole.group[0])
    with pytest.raises(NotEnoughRows, match="too few groups"):
        trainer._parts(pipeline, one_group)
