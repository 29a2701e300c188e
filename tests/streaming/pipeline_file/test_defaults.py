"""Each default of the pipeline file stands once: what the documentation shows is what a pipeline gets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from contract.hyperparameters import Gbm
from contract.pipeline import Clock
from streaming.pipeline_file.defaults import MAX_AGE, RAW_RETENTION, RETENTION, stated, written
from streaming.pipeline_file.load import load
from streaming.pipeline_file.pipeline_docs import reference


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (1, "1"),
        (10.0, "10.0"),
        ((), "[]"),
        ({}, "{}"),
        (timedelta(0), "0s"),
        (timedelta(minutes=90), "90m"),
    ],
)
def test_a_default_is_shown_as_the_file_would_say_it(value: object, text: str) -> None:
    assert written(value) == text


def test_a_field_without_a_default_or_a_misspelt_one_is_refused() -> None:
    for name in ("topic", "tolerence"):
        with pytest.raises(LookupError, match=f"Clock.{name} has no default"):
            stated(Clock, name)


def test_what_the_page_shows_is_what_a_pipeline_gets() -> None:
    pipeline, page = load(Path("tests/pipelines/minimal.toml")), reference()
    assert f"| `ntrees` | whole number, 1 to 10000 | `{Gbm().ntrees}` |" in page
    assert pipeline.training.gbm == Gbm()
    assert pipeline.lake.retention == RETENTION.of(pipeline.training, pipeline.label)
    assert pipeline.lake.raw_retention == RAW_RETENTION.of(pipeline.training, pipeline.lake.retention)
    assert pipeline.serving.max_age == MAX_AGE.of(pipeline.training, pipeline.label)
