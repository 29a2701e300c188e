"""The benchmark measures a candidate as it is in the registry."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bundle import measure
from serving.candidates.read_candidate import read_candidate
from tests.serving.admission_candidates import reference_rows, write_candidate
from tests.serving.models import columns
from tests.serving.mojo_zip import LEFT, Model, Split, mojo_zip


def test_every_figure_is_there_and_positive(tmp_path: Path) -> None:
    model = Model(columns(["n"]), [Split(0, 0.5, LEFT, -1.0, 1.0)] * 3)
    rows = reference_rows(model, ["n"], [{"n": 1.0, "i": None, "s": None, "t": None, "b": None}])
    figures = measure(read_candidate(write_candidate(tmp_path / "candidate", mojo_zip(model), rows)))
    assert figures["trees"] == 3
    assert set(figures) == {
        "trees", "bundle_bytes", "compile_s", "open_us", "score_ns_per_row", "python_call_ns_per_request"
    }  # fmt: skip
    assert min(figures.values()) > 0
