"""The benchmark of the transform measures what it says, or says why it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import transform
from benchmarks.transform import measure
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)


def test_every_figure_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transform, "ROWS", 50)
    found = measure(PIPELINE)
    assert (found["rows"], found["features"]) == (50, len(PIPELINE.features))
    assert all(found[name] > 0 for name in ("decode_ns_per_row", "features_ns_per_row", "one_request_ns"))


def test_what_cannot_be_measured_is_named() -> None:
    with pytest.raises(ValueError, match=r"no \[\[examples\]\]"):
        measure(replace(PIPELINE, examples=()))
    broken = replace(PIPELINE.examples[0], event={"id": 1})
    with pytest.raises(ValueError, match="does not decode"):
        measure(replace(PIPELINE, examples=(broken,)))
