"""What a good file means: defaults, hashes, durations."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.hyperparameters import Gbm, said
from contract.pipeline import Costs, Scorecard, Tolerance
from streaming.pipeline_file.durations import format_duration, parse_duration
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL, changed

PIPELINE = load(MINIMAL)


def test_what_is_left_out_has_its_default() -> None:
    minutes = {name: getattr(PIPELINE.lake, name) / timedelta(minutes=1) for name in ("retention", "raw_retention")}
    assert minutes == {"retention": 2 * (60 + 5 + 10), "raw_retention": 60}
    assert PIPELINE.serving.max_age == 2 * timedelta(minutes=10 + 5 + 2)
    assert (PIPELINE.training.keep, PIPELINE.training.gbm) == (100, Gbm())
    assert (PIPELINE.events.host, PIPELINE.facts, PIPELINE.label.missing) == (None, (), None)


def test_the_label_has_the_events_key_and_splits_keep_the_key_whole_unless_told_otherwise(tmp_path: Path) -> None:
    plain = changed(tmp_path, ('key = ["machine", "shift"]\nvalue', "value"), ('group = "machine"\n', ""))
    assert plain.label.key == plain.training.group == ("machine", "shift")
    assert PIPELINE.training.group == ("machine",)


@pytest.mark.parametrize(
    ("change", "file_hash_changes", "rows_hash_changes"),
    [
        (("# degrees Celsius", "# Celsius"), False, False),
        (('load = "double"', 'load = { type = "double" }'), False, False),
        (('every = "1m"', 'every = "60s"'), False, False),
        (('every = "1m"', 'every = "2m"'), True, False),
        (('"failures > 0"', '"failures > 1"'), True, True),
        (('"temperature * load"', '"temperature + load"'), True, True),
        (('hours_run = "int"', 'hours_run = "double"'), True, True),
        (('expected_null = ["alarm"]', ""), False, False),
    ],
)
def test_hashes_name_meanings(
    tmp_path: Path, change: tuple[str, str], file_hash_changes: bool, rows_hash_changes: bool
) -> None:
    other = changed(tmp_path, change)
    assert (other.file_hash != PIPELINE.file_hash) == file_hash_changes
    assert (other.rows_hash != PIPELINE.rows_hash) == rows_hash_changes


def test_a_field_that_no_feature_uses_does_not_change_the_rows(tmp_path: Path) -> None:
    other = changed(tmp_path, ('alarm = "boolean"', 'alarm = "boolean"\ncolor = "string"'))
    assert other.rows_hash == PIPELINE.rows_hash
    assert other.file_hash != PIPELINE.file_hash


@given(st.integers(0, 10**12).map(lambda number: timedelta(milliseconds=number)))
def test_a_duration_is_read_as_it_was_written(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [("90s", timedelta(seconds=90)), ("10m", timedelta(minutes=10)), ("3w", timedelta(weeks=3)), ("0s", timedelta(0))],
)
def test_durations_are_a_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "10", "m", "1.5m", "-1s", "1m30s", "10M", "10min"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a (duration|unit of time)"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("file", "file_hash", "rows_hash"),
    [
        (MINIMAL, "414e6974473c", "c76bef618480"),
        (MINIMAL.parents[2] / "examples" / "flights" / "pipeline.toml", "59f1daae9eaa", "a73f059c8693"),
    ],
)
def test_files_of_earlier_versions_keep_their_hashes(file: Path, file_hash: str, rows_hash: str) -> None:
    """Another hash would build every table anew. Where a file itself was changed, so are these."""
    pipeline = load(file)
    assert (pipeline.file_hash, pipeline.rows_hash) == (file_hash, rows_hash)


def test_an_algorithm_and_its_hyperparameters_are_part_of_the_meaning(tmp_path: Path) -> None:
    group = 'group = "machine"\n'
    glm = changed(tmp_path, (group, f'{group}algorithm = "glm"\n[training.glm]\nlambda = 0.5\n'))
    assert said(glm.training.hyperparameters)["lambda"] == 0.5
    assert glm.file_hash != PIPELINE.file_hash
    told = changed(tmp_path, (group, f'{group}algorithm = "gbm"\n[training.drf]\nntrees = 50\n'))
    assert told.file_hash == PIPELINE.file_hash, "what is said is what would be so anyway"


def test_tolerances_are_read_in_their_order_with_their_defaults(tmp_path: Path) -> None:
    tables = """
[scorecard]
default = "careful"
[scorecard.careful]
false_omission_rate = 0.02
[scorecard.cheap]
cost = { false_positive = 1, false_negative = 5, abstain = 0.2, bound = 0.16 }
per = "entity"
confidence = 0.9
when_expired = "answer"
"""
    assert PIPELINE.scorecard == Scorecard()
    text = MINIMAL.read_text(encoding="utf-8") + tables
    (tmp_path / "with.toml").write_text(text, encoding="utf-8")
    careful, cheap = (scorecard := load(tmp_path / "with.toml").scorecard).tolerances
    assert (scorecard.default, careful) == ("careful", Tolerance("careful", false_omission_rate=0.02))
    assert (careful.confidence, careful.per, careful.when_expired) == (0.95, "both", "abstain")
    costs = Costs(false_positive=1, false_negative=5, abstain=0.2, bound=0.16)
    assert cheap == Tolerance("cheap", cost=costs, confidence=0.9, per="entity", when_expired="answer")
