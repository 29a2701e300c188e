"""Every problem of a pipeline file is named at once, with its place. Cases: tests/streaming/testcases."""

from __future__ import annotations

from pathlib import Path

import pytest

from streaming.load import PipelineError, load

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


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_bytes(b'name = "\xff"')
    assert problems_of(file) == ["1:1: not UTF-8 at byte 8; save the file as UTF-8"]


def test_the_error_names_the_file_with_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text("topics = 1\n", encoding="utf-8")
    with pytest.raises(PipelineError) as caught:
        load(file)
    assert f'{file}:1:1: unknown key "topics"' in str(caught.value).splitlines()
