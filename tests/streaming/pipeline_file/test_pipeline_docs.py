"""docs/pipeline.md says what the code accepts."""

from __future__ import annotations

from contract.pipeline import Gbm
from streaming.pipeline_file.pipeline_docs import PAGE, reference
from streaming.pipeline_file.schema import SECTIONS


def test_the_reference_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m streaming.pipeline_file.pipeline_docs"


def test_the_reference_states_the_defaults_that_act() -> None:
    [section] = [section for section in SECTIONS if section.name == "training.gbm"]
    assert {key.name: key.default for key in section.keys} == {name: str(value) for name, value in vars(Gbm()).items()}
