"""Every problem of a pipeline file is named at once, with its place. Cases: tests/streaming/testcases."""

from __future__ import annotations

from pathlib import Path

import pytest

from streaming.pipeline_file.load import PipelineError, load
from tests.streaming.pipelines import MINIMAL, changed

CASES = sorted((Path(__file__).parent / "testcases").iterdir())


def problems_of(path: Path) -> list[str]:
    """The problems of a file, in words and in order; none when it is well."""
    try:
        load(path)
    except PipelineError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_refused_with_all_its_problems_in_its_order(case: Path) -> None:
    expected = (case / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert problems_of(case / "pipeline.toml") == expected


def test_durations_that_just_agree_are_well(tmp_path: Path) -> None:
    """wait = max_wait, holdout = a bucket, and the least max_age, retention and raw_retention that work."""
    lake = 'buckets = "1m"\nretention = "71m"\nraw_retention = "71m"\n[serving]\nmax_age = "13m"'
    pipeline = changed(tmp_path, ('wait = "2m"', 'wait = "10m"'), ('"5m"', '"1m"'), ('buckets = "1m"', lake))
    assert pipeline.label.wait == pipeline.label.max_wait
    assert pipeline.training.holdout == pipeline.lake.buckets


@pytest.mark.parametrize("topic", ["machines.models", "machines.predictions", "hotpath.progress"])
def test_a_topic_that_hotpath_writes_itself_is_refused(tmp_path: Path, topic: str) -> None:
    with pytest.raises(PipelineError, match=f'topic "{topic}" is one that hotpath writes itself'):
        changed(tmp_path, ('"machines.inspections"', f'"{topic}"'))


def test_every_sensitive_field_of_an_expression_is_named(tmp_path: Path) -> None:
    secret = [
        (f'{name} = "double"', f'{name} = {{ type = "double", sensitive = true }}') for name in ("load", "vibration")
    ]
    with pytest.raises(PipelineError) as caught:
        changed(tmp_path, *secret, ('"temperature * load"', '"vibration * load"'))
    told = [problem for problem in caught.value.problems if "heat: the field" in str(problem)]
    assert len(told) == 2


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_bytes(b'name = "\xff"')
    assert problems_of(file) == ["1:1: not UTF-8 at byte 8; save the file as UTF-8"]


def test_a_file_with_a_byte_order_mark_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.read_bytes())
    (told,) = problems_of(file)
    assert told.startswith("1:1: the file begins with a byte order mark (BOM)")


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 3000 + "]" * 3000, "{a=" * 3000 + "1" + "}" * 3000])
def test_a_value_that_is_too_much_for_the_parser_is_refused_at_its_place(tmp_path: Path, value: str) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(f"# first\nq = {value}\n{MINIMAL.read_text()}")
    (told,) = problems_of(file)
    assert told.startswith("2:")
    assert ": not TOML: " in told


def test_the_error_names_the_file_with_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text("topics = 1\n", encoding="utf-8")
    with pytest.raises(PipelineError) as caught:
        load(file)
    assert f'{file}:1:1: unknown key "topics"' in str(caught.value).splitlines()


def test_a_label_that_only_comes_or_lacks_can_be_trained(tmp_path: Path) -> None:
    pipeline = changed(tmp_path, ('value = "failures > 0"', 'value = "true"\nmissing = false'))
    assert pipeline.label.missing is False
