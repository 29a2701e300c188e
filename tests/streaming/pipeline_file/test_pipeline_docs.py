"""docs/pipeline.md says what the code accepts."""

from __future__ import annotations

import pytest

from contract.hyperparameters import Drf, Gbm, Glm, Xgboost, said
from streaming.pipeline_file.defaults import written
from streaming.pipeline_file.pipeline_docs import PAGE, reference
from streaming.pipeline_file.schema import SECTIONS


def test_the_reference_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m streaming.pipeline_file.pipeline_docs"


@pytest.mark.parametrize(("name", "of"), [("gbm", Gbm), ("drf", Drf), ("xgboost", Xgboost), ("glm", Glm)])
def test_the_reference_states_the_defaults_that_act(name: str, of: type) -> None:
    [section] = [section for section in SECTIONS if section.name == f"training.{name}"]
    acting = {key: written(value) for key, value in said(of()).items()}
    assert {key.name: key.default for key in section.keys} == acting
