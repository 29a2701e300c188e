"""Losses in the lake: written once, acknowledged by a person, and the buckets that leave windows until then."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from contract.layout import Places
from contract.messages.codec import Unreadable
from contract.messages.progress import LossNotice
from streaming.lake.losses import (
    UnknownLoss,
    acknowledge,
    buckets_around,
    excluded_buckets,
    read_losses,
    record_loss,
    stored_losses,
)
from streaming.pipeline_file.load import load
from tests.integration.rows_world import FILE, MAX_LATE_S, MAX_WAIT_S, MINUTE_S, START_S

NOW = datetime.fromtimestamp(START_S + 3600, UTC)
LOST = LossNotice(
    where="mirror",
    topic="asked",
    partition=1,
    from_offset=100,
    to_offset=1300,
    count=1200,
    after_ms=START_S * 1000,
    before_ms=(START_S + 300) * 1000,
    at_ms=(START_S + 400) * 1000,
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "world.toml").write_text(FILE)
    return Places.from_environment({"HOTPATH_DATA": str(tmp_path), "HOTPATH_HDFS": f"file://{tmp_path}"})


def test_a_loss_is_written_once_and_what_a_person_said_of_it_stays(places: Places) -> None:
    assert read_losses(places, "world") == ()
    assert record_loss(places, "world", LOST)
    noted = acknowledge(places, "world", LOST.id, "ann", NOW, use=False)
    assert noted is not None
    assert noted.acknowledged_by == "ann"
    assert not record_loss(places, "world", msgspec.structs.replace(LOST, at_ms=LOST.at_ms + 1000)), "found again"
    (loss,) = read_losses(places, "world")
    assert (loss.found, loss.is_acknowledged, loss.use) == (LOST, True, False)
    said = "at most 1,200 records of asked/1 were lost between 2026-01-01T00:00:00.000Z and 2026-01-01T00:05:00.000Z"
    assert loss.sentence == f"{said} (mirror)"


def test_an_id_that_is_not_there_is_refused_with_the_remedy(places: Places) -> None:
    with pytest.raises(UnknownLoss, match="hotpath losses list"):
        acknowledge(places, "world", "nothing", "ann", NOW, use=True)


def test_a_damaged_loss_is_named_hides_no_other_and_can_be_removed(places: Places) -> None:
    pipeline = load(places.data / "world.toml")
    record_loss(places, "world", LOST)
    folder = Path(places.losses("world").removeprefix("file://"))
    for loss_id, content in (("cut", b'{"id": "c'), ("newer", b'{"v": 99}'), ("bytes", b"\xff")):
        (folder / f"{loss_id}.json").write_bytes(content)
    stored = stored_losses(places, "world")
    assert [loss.id for loss in stored.losses] == [LOST.id]
    assert set(stored.damaged) == {"cut", "newer", "bytes"}
    with pytest.raises(Unreadable, match=r"losses/cut\.json does not read .* hotpath losses acknowledge cut --use"):
        excluded_buckets(places, pipeline)
    assert acknowledge(places, "world", LOST.id, "ann", NOW, use=False)
    for loss_id in stored.damaged:
        with pytest.raises(UnknownLoss, match="does not read"):
            acknowledge(places, "world", loss_id, "ann", NOW, use=False)
        assert acknowledge(places, "world", loss_id, "ann", NOW, use=True) is None
    assert len(excluded_buckets(places, pipeline)) == 1


def test_the_buckets_around_a_loss_are_left_out_until_somebody_says_to_use_them(places: Places) -> None:
    pipeline = load(places.data / "world.toml")
    record_loss(places, "world", LOST)
    acknowledge(places, "world", LOST.id, "ann", NOW, use=False)
    (excluded,) = excluded_buckets(places, pipeline)
    first_s, last_s = START_S - MAX_WAIT_S - MAX_LATE_S, START_S + 300 + MAX_WAIT_S
    inside = {due_s // MINUTE_S * MINUTE_S for due_s in range(first_s, last_s + 1)}
    assert set(range(*excluded, MINUTE_S)) == inside
    acknowledge(places, "world", LOST.id, "ann", NOW, use=True)
    assert excluded_buckets(places, pipeline) == ()
    acknowledge(places, "world", LOST.id, "bob", NOW, use=False)
    assert excluded_buckets(places, pipeline) == (), "what is used stays used"


def test_lost_facts_and_predictions_leave_out_nothing(places: Places) -> None:
    pipeline = load(places.data / "world.toml")
    record_loss(places, "world", msgspec.structs.replace(LOST, topic="world.predictions"))
    assert excluded_buckets(places, pipeline) == ()
    record_loss(places, "world", msgspec.structs.replace(LOST, topic="happened"))
    assert len(excluded_buckets(places, pipeline)) == 1


def test_where_the_beginning_is_not_known_all_that_is_kept_may_have_lost_records(places: Places) -> None:
    pipeline = load(places.data / "world.toml")
    first_s, after_s = buckets_around(msgspec.structs.replace(LOST, after_ms=None), pipeline)
    kept_s = pipeline.lake.retention.total_seconds()
    assert first_s <= LOST.before_ms / 1000 - kept_s + MAX_WAIT_S
    assert after_s > LOST.before_ms / 1000 + MAX_WAIT_S
