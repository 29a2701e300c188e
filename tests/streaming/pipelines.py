"""Pipelines for tests: the small one, and variations of it."""

from __future__ import annotations

from pathlib import Path

from contract.pipeline import Pipeline
from streaming._native import Transform
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load

MINIMAL = Path(__file__).parent.parent / "pipelines" / "minimal.toml"


def changed(folder: Path, *replacements: tuple[str, str]) -> Pipeline:
    """The small pipeline with texts replaced; each must be there."""
    text = MINIMAL.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "pipeline.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def transform_of(pipeline: Pipeline) -> Transform:
    """The native transform of a pipeline."""
    return Transform(compile_pipeline(pipeline).spec)
