"""Another speed is the same pipeline under its own name, with its durations scaled and no others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from scale import scaled

from streaming.pipeline_file.load import load

SOURCE = Path(__file__).parents[2] / "examples/flights/pipeline.toml"


def test_twice_as_fast_halves_the_durations_of_label_buckets_and_training_only(tmp_path: Path) -> None:
    file = tmp_path / "fast.toml"
    file.write_text(scaled(SOURCE.read_text(), 120, 60))
    usual, fast = load(SOURCE), load(file)
    assert fast.name == "flights_x120"
    assert (fast.events.topic, fast.label.topic) == ("flights_x120.asked", "flights_x120.arrived")
    assert fast.facts == ("flights_x120.departed",)
    assert fast.label.max_wait == usual.label.max_wait / 2
    assert fast.label.wait == "scheduled_arrival + INTERVAL '90' SECOND"
    assert fast.lake.buckets == timedelta(seconds=30)
    assert fast.training.window == usual.training.window / 2
    assert fast.training.every == usual.training.every / 2
    assert fast.serving == usual.serving
    assert fast.lake.retention == usual.lake.retention
    assert fast.features == usual.features


def test_comments_are_kept() -> None:
    assert "# what a passenger at the gate sees" in scaled(SOURCE.read_text(), 120, 60)


def test_a_speed_that_gives_no_whole_milliseconds_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole number of milliseconds"):
        scaled(SOURCE.read_text(), 60 * 7.3, 60)
