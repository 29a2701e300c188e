"""Whatever the moment, the spec or the pipeline file: an answer or a clear refusal, never a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming._native import Transform, toml_positions
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.diagnostics import Problem
from streaming.pipeline_file.load import PipelineError, load
from tests.streaming.pipelines import MINIMAL, changed, transform_of

SPEC = json.loads(compile_pipeline(load(MINIMAL)).spec)
TEXT = MINIMAL.read_text(encoding="utf-8")
MOMENTS = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(scope="module")
def transform(tmp_path_factory: pytest.TempPathFactory) -> Transform:
    """Its features and its wait calculate with moments."""
    folder = tmp_path_factory.mktemp("moments")
    age = 'age = "(unix_millis(as_of) - unix_millis(read_at)) / 1000.0"\nhour = "hour(as_of + INTERVAL 3 DAYS)"'
    wait = ('wait = "2m"', 'wait = "as_of + INTERVAL 400 DAYS"')
    return transform_of(changed(folder, ('alarm = "alarm"', f'alarm = "alarm"\n{age}'), wait))


@given(as_of_us=MOMENTS, now_us=MOMENTS, read_at=MOMENTS | st.none())
def test_any_moment_gives_an_answer(transform: Transform, as_of_us: int, now_us: int, read_at: int | None) -> None:
    body = {"reading": 1, "machine": 1, "shift": 1, "temperature": 1.0, "read_at": read_at}
    answer = transform.question(json.dumps(body).encode(), as_of_us, now_us)
    assert answer["errors"] or len(answer["features"]) == 8
    assert answer["due_us"] is None or abs(answer["due_us"]) < 10**18


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2"),
        ({"max_wait_us": "long"}, "broken"),
        ({"more": 1}, "unknown field"),
        ({"event": SPEC["event"] | {"id": "nothing"}}, 'no field "nothing"'),
        ({"features": {"columns": [], "program": SPEC["features"]["program"]}}, "outputs"),
        ({"label": SPEC["label"] | {"value": {"format": 9}}}, "format"),
    ],
)
def test_a_spec_that_is_broken_or_of_another_version_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Transform(json.dumps(SPEC | change))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(TEXT)), cut=st.integers(0, 12), put=st.text("[]{}=\"'.,\n 1a#\\é", max_size=3))
def test_a_damaged_file_is_loaded_or_refused_with_places(tmp_path: Path, at: int, cut: int, put: str) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(TEXT[:at] + put + TEXT[at + cut :], encoding="utf-8")
    try:
        load(file)
        problems: tuple[Problem, ...] = ()
    except PipelineError as error:
        problems = error.problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


@given(st.text())
def test_any_text_has_positions_or_is_refused_with_its_place(text: str) -> None:
    try:
        positions = toml_positions(text)
    except ValueError as error:
        _, *places = error.args
    else:
        places = [number for place in positions.values() for number in place]
    assert all(place >= 1 for place in places)
